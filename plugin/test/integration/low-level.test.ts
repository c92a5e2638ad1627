import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeviceEvents } from 'twilio-chat-encryption';
import { codeOf } from '../outcomes.ts';
import { deliver, pair, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('a card that somebody publishes for a key of their own', () => {
  test('is reported to those who know them, and chats go on without it', async () => {
    const [alice, bob] = [await world.person('alice'), await world.person('bob')];
    const [hers, his] = await pair(alice, bob);
    await deliver(hers, his, 'Before');

    const key = await alice.encryption.keys.generate();
    const card = await alice.encryption.cards.create('alice', key);
    await alice.encryption.cards.publish(card);
    const events: DeviceEvents['ownCardUnknown'][] = [];
    alice.encryption.on('ownCardUnknown', (event) => events.push(event));

    const message = await deliver(hers, his, 'After');
    expect(message.body).toBe('After');
    expect(message.encryption).toMatchObject({ status: 'verified', trust: 'pinned' });
    expect(events).toEqual([{ identity: 'alice', cardIds: [card.id] }]);
  });

  test('opens data, and is found beside the device’s own', async () => {
    const [carol, dave] = [await world.person('carol'), await world.person('dave')];
    const key = await carol.encryption.keys.generate();
    const card = await carol.encryption.cards.publish(
      await carol.encryption.cards.create('carol', key),
    );
    const found = await dave.encryption.cards.find('carol');
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set([carol.encryption.cardId, card.id]));
    const daves = await dave.encryption.keys.generate();
    const davesCard = await dave.encryption.cards.create('dave', daves);
    const sealed = await daves.signThenEncrypt('For all devices', found);
    const imported = await carol.encryption.cards.import(davesCard.export());
    expect((await key.decryptThenVerify(sealed, imported)).toString()).toBe('For all devices');
  });

  test('is of suite 2 if the device is, so that all cards of a person go together', async () => {
    const [grace, heidi] = await Promise.all(
      ['grace', 'heidi'].map((identity) => world.person(identity, { postQuantum: true })),
    );
    if (!grace || !heidi) expect.fail();
    const key = await grace.encryption.keys.generate();
    await grace.encryption.cards.publish(await grace.encryption.cards.create('grace', key));
    const found = await heidi.encryption.cards.find('grace');
    expect(found.map(({ pqEncryptionKey }) => pqEncryptionKey?.length)).toEqual([1216, 1216]);
    const heidis = await heidi.encryption.keys.generate();
    const heidisCard = await heidi.encryption.cards.create('heidi', heidis);
    const sealed = await heidis.signThenEncrypt('For decades', found);
    const imported = await grace.encryption.cards.import(heidisCard.export());
    expect((await key.decryptThenVerify(sealed, imported)).toString()).toBe('For decades');
  });

  test('is refused by the server in another person’s name', async () => {
    const erin = await world.person('erin');
    const key = await erin.encryption.keys.generate();
    const card = await erin.encryption.cards.create('frank', key);
    expect(await codeOf(erin.encryption.cards.publish(card))).toBe('DIRECTORY_REFUSED');
  });
});
