/** The devices of one person: added, replaced, revoked, restored; and what others notice of it. */
import type { Channel, Message } from 'twilio-chat';
import {
  Encryption,
  MemoryKeyStore,
  type DeviceEvents,
  type OwnDevice,
} from 'twilio-chat-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, failureOf } from '../outcomes.ts';
import { deliver, history, next, pair, startWorld, type Person, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

const passwordOf = ({ identity }: Pick<Person, 'identity'>): string => `password of ${identity}`;

/** What somebody is told of others' new keys. */
function changesSeenBy({ encryption }: Person): DeviceEvents['keyChanged'][] {
  const events: DeviceEvents['keyChanged'][] = [];
  encryption.on('keyChanged', (event) => events.push(event));
  return events;
}

/** The next event of this name. */
function once<Name extends keyof DeviceEvents>(
  { encryption }: Person,
  name: Name,
): Promise<DeviceEvents[Name]> {
  return new Promise((resolve) => {
    encryption.on(name, resolve);
  });
}

function trustIn({ encryption }: Message): string {
  return encryption.status === 'verified' ? encryption.trust : encryption.status;
}

/** Another device of somebody, with a key store of its own. */
function secondDevice(person: Person, device?: string): Promise<Person> {
  const keyStore = new MemoryKeyStore();
  return world.again({ ...person, keyStore }, device === undefined ? {} : { device });
}

async function channelOf(person: Person, { sid }: Channel): Promise<Channel> {
  const channel = await person.client.getChannelBySid(sid);
  await channel.getMembers();
  return channel;
}

const bodies = async (channel: Channel): Promise<(string | null)[]> =>
  (await history(channel)).map(({ body }) => body);

const byId = (devices: readonly OwnDevice[], { encryption }: Person): OwnDevice | undefined =>
  devices.find(({ cardId }) => cardId === encryption.cardId);

/** Asks for everybody's cards again, as a device does after five minutes. */
async function lookAgain({ encryption }: Person, who: Person): Promise<void> {
  await encryption.cards.find(who.identity);
}

describe('a device that gets new keys', () => {
  test('is trusted by everybody as before, who are told nothing, and reads what it could', async () => {
    const [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
    const changes = changesSeenBy(bob);
    const [own, bobs] = await pair(alice, bob);
    await deliver(bobs, own, 'for the old key');
    const before = alice.encryption.cardId;
    const after = await alice.encryption.rotate(passwordOf(alice));
    expect(after).not.toBe(before);
    expect(alice.encryption.cardId).toBe(after);

    const message = await deliver(own, bobs, 'by the new key');
    expect(message.encryption).toMatchObject({
      status: 'verified',
      trust: 'pinned',
      sender: { cardId: after },
      anomalies: [],
    });
    await lookAgain(bob, alice);
    expect((await deliver(bobs, own, 'for the new key')).encryption.status).toBe('verified');
    expect(changes).toEqual([]);

    const reopened = await world.again(alice);
    expect(reopened.encryption.cardId).toBe(after);
    expect(await bodies(await channelOf(reopened, own))).toEqual([
      'for the old key',
      'by the new key',
      'for the new key',
    ]);
    expect(await reopened.encryption.devices()).toMatchObject([
      { cardId: before, status: 'superseded', isReadable: true, isThis: false, vouchers: [] },
      {
        ...{ cardId: after, status: 'live', isReadable: true, isThis: true, trust: 'pinned' },
        ...{ previousCardId: before, vouchers: [before] },
      },
    ]);
  });

  test('needs its password, and changes nothing without', async () => {
    const carol = await world.person('carol');
    const { cardId } = carol.encryption;
    const record = await carol.keyStore.get('key/carol');
    expect(await codeOf(carol.encryption.rotate('another'))).toBe('WRONG_PASSWORD');
    expect(carol.encryption.cardId).toBe(cardId);
    expect(await carol.keyStore.get('key/carol')).toEqual(record);
    expect(await carol.encryption.devices()).toHaveLength(1);
  });

  test('is replaced in its other tabs, which say so', async () => {
    const dave = await world.person('dave');
    const tab = await world.again(dave);
    const told = once(tab, 'deviceRemoved');
    await dave.encryption.rotate(passwordOf(dave));
    expect(await codeOf(tab.encryption.devices())).toBe('DEVICE_REMOVED');
    expect(await told).toEqual({ identity: 'dave', reason: 'replaced' });
    const again = await world.again(dave);
    expect(again.encryption.cardId).toBe(dave.encryption.cardId);
  });

  test('can be given another password', async () => {
    const erin = await world.person('erin');
    await erin.encryption.changePassword(passwordOf(erin), 'better');
    expect(await erin.encryption.devices()).toHaveLength(1);
    expect(await codeOf(world.again(erin))).toBe('WRONG_PASSWORD');
    const again = await world.again(erin, { password: 'better' });
    expect(again.encryption.cardId).toBe(erin.encryption.cardId);
    expect(await codeOf(erin.encryption.changePassword('wrong', 'x'))).toBe('WRONG_PASSWORD');
  });
});

describe('another device of one’s own', () => {
  test('is reported to the first, and trusted by all once that one vouched for it', async () => {
    const [frank, gina] = await Promise.all([world.person('frank'), world.person('gina')]);
    const changes = changesSeenBy(gina);
    const [own, ginas] = await pair(frank, gina);
    await deliver(own, ginas, 'hello');
    const phone = await secondDevice(frank, 'phone');
    const known = once(frank, 'ownCardUnknown');
    await frank.encryption.devices();
    const { cardIds } = await known;
    expect(cardIds).toEqual([phone.encryption.cardId]);
    expect(byId(await frank.encryption.devices(), phone)).toMatchObject({
      device: 'phone',
      trust: 'changed',
      isReadable: false,
      vouchers: [],
    });
    expect(await frank.encryption.acknowledge('frank', cardIds)).toEqual(cardIds);
    expect(byId(await frank.encryption.devices(), phone)).toMatchObject({
      trust: 'pinned',
      vouchers: [frank.encryption.cardId],
    });

    await lookAgain(gina, frank);
    const phones = await channelOf(phone, own);
    const both = next<Message>(phones, 'messageAdded', ({ author }) => author === 'gina');
    await ginas.sendMessage('to both devices');
    expect((await both).body).toBe('to both devices');
    const fromPhone = await deliver(phones, ginas, 'from the phone');
    expect(fromPhone.encryption).toMatchObject({ status: 'verified', trust: 'pinned' });
    expect(changes).toEqual([]);
  });

  test('that is revoked gets nothing any more, and is believed nothing; what it sent stays', async () => {
    const [hans, ines] = await Promise.all([world.person('hans'), world.person('ines')]);
    const phone = await secondDevice(hans, 'phone');
    const [own, iness] = await pair(hans, ines);
    const phones = await channelOf(phone, own);
    await deliver(phones, iness, 'from the phone');
    const { cardId } = phone.encryption;
    await hans.encryption.revoke(cardId, { compromisedSince: new Date() });
    expect(byId(await hans.encryption.devices(), phone)).toMatchObject({
      status: 'revoked',
      reason: 'compromised',
    });

    await lookAgain(ines, hans);
    const missed = next<Message>(phones, 'messageAdded', ({ author }) => author === 'ines');
    await iness.sendMessage('not for the phone');
    expect((await missed).encryption).toMatchObject({
      status: 'unavailable',
      code: 'NOT_ADDRESSED',
    });
    await lookAgain(phone, hans);
    expect(await codeOf(phones.sendMessage('from a thief'))).toBe('DEVICE_REVOKED');
    const [first] = await history(iness);
    expect(first?.encryption).toMatchObject({
      status: 'verified',
      sender: { cardId, revoked: 'compromised' },
    });
    // The same again says nothing new, and is no error.
    await hans.encryption.revoke(cardId);
  });

  test('cannot be revoked by somebody else', async () => {
    const [jan, kim] = await Promise.all([world.person('jan'), world.person('kim')]);
    expect(await codeOf(kim.encryption.revoke(jan.encryption.cardId))).toBe('CARD_NOT_FOUND');
    const [card] = await kim.encryption.cards.find('jan');
    if (!card) throw new Error('There is no card.');
    expect(await codeOf(kim.encryption.cards.revoke(card))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(kim.encryption.revoke('no card'))).toBe('INVALID_ARGUMENT');
    expect(await jan.encryption.devices()).toMatchObject([{ status: 'live' }]);
  });
});

describe('a backup', () => {
  test('gives a new device the history, and a card that all trust without being asked', async () => {
    const [lea, mia] = await Promise.all([world.person('lea'), world.person('mia')]);
    const changes = changesSeenBy(mia);
    const [own, mias] = await pair(lea, mia);
    await deliver(own, mias, 'of the lost device');
    await deliver(mias, own, 'to the lost device');
    const lost = lea.encryption.cardId;
    await lea.encryption.backup(passwordOf(lea));

    const keyStore = new MemoryKeyStore();
    const started = Date.now();
    const { encryption, savedAt, missing } = await Encryption.restore({
      ...world.options(lea),
      keyStore,
    });
    expect(missing).toEqual([]);
    expect(savedAt.getTime()).toBeLessThanOrEqual(started);
    const restored = await world.join(lea, encryption, keyStore);
    const restoreds = await channelOf(restored, own);
    const read = await history(restoreds);
    expect(read.map(({ body }) => body)).toEqual(['of the lost device', 'to the lost device']);
    // Its own; whom it never met it meets for the first time.
    expect(read.map((one) => trustIn(one))).toEqual(['pinned', 'new']);
    await lookAgain(mia, lea);
    expect((await deliver(restoreds, mias, 'back')).encryption).toMatchObject({
      status: 'verified',
      trust: 'pinned',
      anomalies: [],
    });
    expect(changes).toEqual([]);

    // The lost device is ended by the new one, and the next run still reads all.
    await encryption.revoke(lost);
    const again = await world.again(restored);
    expect(await bodies(await channelOf(again, own))).toHaveLength(3);
  });

  test('is opened by its password only, and there is none before it was made', async () => {
    const nora = await world.person('nora');
    const options = { ...world.options(nora), keyStore: new MemoryKeyStore() };
    expect(await codeOf(Encryption.restore(options))).toBe('BACKUP_NOT_FOUND');
    expect(await failureOf(nora.encryption.backup('another'))).toMatchObject({
      code: 'WRONG_PASSWORD',
      passwordOf: 'device',
    });
    await nora.encryption.backup('of the backup', { currentPassword: passwordOf(nora) });
    const failure = await failureOf(Encryption.restore(options));
    expect(failure).toMatchObject({ code: 'WRONG_PASSWORD', passwordOf: 'backup' });
    expect(failure.message).toContain('backup');
    expect(await options.keyStore.get('key/nora')).toBeNull();
    const { encryption } = await Encryption.restore({
      ...options,
      backupPassword: 'of the backup',
    });
    encryption.close();
    // The device is there now, and has another password than the one that is tried.
    const wrong = { ...options, password: 'wrong', backupPassword: 'of the backup' };
    expect(await failureOf(Encryption.restore(wrong))).toMatchObject({ passwordOf: 'device' });
    // Whoever lost the password removes it, and makes another one.
    expect(await failureOf(nora.encryption.backup(passwordOf(nora)))).toMatchObject({
      code: 'WRONG_PASSWORD',
      passwordOf: 'backup',
    });
    await nora.encryption.removeBackup();
    await nora.encryption.backup(passwordOf(nora));
    await nora.encryption.removeBackup();
    await nora.encryption.removeBackup();
    expect(await codeOf(Encryption.restore(options))).toBe('BACKUP_NOT_FOUND');
  });

  test('of several devices has the keys of all', async () => {
    const olga = await world.person('olga');
    const phone = await secondDevice(olga, 'phone');
    await Promise.all([
      olga.encryption.backup(passwordOf(olga)),
      phone.encryption.backup(passwordOf(olga)),
    ]);
    const options = { ...world.options(olga), keyStore: new MemoryKeyStore() };
    const { encryption, missing } = await Encryption.restore(options);
    expect(missing).toEqual([]);
    const devices = await encryption.devices();
    expect(devices.map(({ isReadable }) => isReadable)).toEqual([true, true, true]);
    encryption.close();
    // One that came later is not in it.
    const tablet = await secondDevice(olga, 'tablet');
    const later = await Encryption.restore({ ...options, keyStore: new MemoryKeyStore() });
    expect(later.missing.map(({ cardId }) => cardId)).toContain(tablet.encryption.cardId);
    later.encryption.close();
  });

  test('that the server puts an older one in place of is found out', async () => {
    const paul = await world.person('paul');
    await paul.encryption.backup(passwordOf(paul));
    const backups = world.directory(paul).backups;
    const old = await backups?.read();
    await paul.encryption.backup(passwordOf(paul));
    const current = await backups?.read();
    if (!old || !current) throw new Error('There is no backup.');
    expect(await backups?.write(old.backup, current.tag)).toBe(true);
    expect(await codeOf(paul.encryption.backup(passwordOf(paul)))).toBe('BACKUP_ROLLED_BACK');
    expect((await backups?.read())?.backup).toBe(old.backup);
    await paul.encryption.removeBackup();
    await paul.encryption.backup(passwordOf(paul));
  });
});

test('what there is can be asked before anything is opened, as a page does that offers to restore', async () => {
  const quin = await world.person('quin');
  const { server, authorize } = world.options(quin);
  const signedIn = { server, ...(authorize && { authorize }) };
  const here = { identity: 'quin', keyStore: quin.keyStore };
  const elsewhere = { identity: 'quin', keyStore: new MemoryKeyStore() };
  expect(await Encryption.hasDevice(here)).toBe(true);
  expect(await Encryption.hasDevice(elsewhere)).toBe(false);
  expect(await Encryption.hasDevice({ ...here, identity: 'somebody' })).toBe(false);
  expect(await Encryption.hasBackup(signedIn)).toBe(false);
  await quin.encryption.backup(passwordOf(quin));
  expect(await Encryption.hasBackup(signedIn)).toBe(true);
  // Nothing was made by asking.
  expect(await elsewhere.keyStore.get('key/quin')).toBeNull();
  const refused = { ...signedIn, authorize: () => Promise.resolve('no session') };
  expect(await codeOf(Encryption.hasBackup(refused))).toBe('UNAUTHORIZED');
  expect(await codeOf(Encryption.hasDevice({ identity: '' }))).toBe('INVALID_IDENTITY');
});

test('a device whose password is lost can be removed, and the next one there is new', async () => {
  const tilda = await world.person('tilda');
  const { cardId } = tilda.encryption;
  const removed = once(tilda, 'deviceRemoved');
  const other = { password: 'another password' };
  expect(await codeOf(world.again(tilda, other))).toBe('WRONG_PASSWORD');
  await Encryption.removeDevice({ identity: 'tilda', keyStore: tilda.keyStore });
  expect(await codeOf(tilda.encryption.devices())).toBe('DEVICE_REMOVED');
  expect(await removed).toMatchObject({ reason: 'removed' });
  const again = await world.again(tilda, other);
  expect(again.encryption.cardId).not.toBe(cardId);
  // The server still has the old card: the new device ends it.
  await again.encryption.revoke(cardId);
  const nobody = { identity: 'nobody', keyStore: tilda.keyStore };
  await Encryption.removeDevice(nobody);
  expect(await codeOf(Encryption.removeDevice({ identity: '' }))).toBe('INVALID_IDENTITY');
});

test('a device that is cleaned up leaves nothing, and the next one there is new', async () => {
  const rosa = await world.person('rosa');
  const { cardId } = rosa.encryption;
  const key = await rosa.encryption.keys.generate();
  await key.save('kept', 'password');
  await rosa.encryption.cleanup();
  expect(await codeOf(rosa.encryption.devices())).toBe('CLOSED');
  expect(await Encryption.hasDevice({ identity: 'rosa', keyStore: rosa.keyStore })).toBe(false);
  const again = await world.again(rosa);
  expect(again.encryption.cardId).not.toBe(cardId);
  expect(await again.encryption.keys.exists('kept')).toBe(true);
});
