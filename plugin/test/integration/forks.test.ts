/** One card on two devices, as after restoring a copy of a device's storage. */
import type { KeyStore } from 'twilio-chat-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scopeOf } from './device-records.ts';
import { deliver, history, pair, startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

/** What a store has now, and from then on changes of its own. */
function copyOf(keyStore: KeyStore): KeyStore {
  const own = new Map<string, Uint8Array<ArrayBuffer> | null>();
  const read = async (name: string) => {
    const kept = own.get(name);
    if (kept === undefined) own.set(name, await keyStore.get(name));
    return own.get(name) ?? null;
  };
  return {
    get: read,
    async update(name, change) {
      own.set(name, change(await read(name)));
    },
    clear: (scope) => keyStore.clear(scope),
    lock: (_name, work) => work(),
  };
}

test('two messages of one card with one number are both shown, as a fork', async () => {
  const [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
  const [own, bobs] = await pair(alice, bob);
  await deliver(own, bobs, 'one');
  const copy = copyOf(alice.keyStore);
  // The copy is made before the device goes on.
  const scope = await scopeOf(alice.keyStore, 'alice');
  await copy.get(`${scope}/outgoing/${alice.encryption.cardId}/${own.sid}`);
  const first = await deliver(own, bobs, 'two, of the device');
  const restored = await world.again(alice, { keyStore: copy });
  const theirs = await restored.client.getChannelBySid(own.sid);
  await theirs.getMembers();
  const second = await deliver(theirs, bobs, 'two, of its copy');
  expect(first.encryption).toMatchObject({ status: 'verified', anomalies: [] });
  expect(second.encryption).toMatchObject({ status: 'verified', anomalies: [{ code: 'FORK' }] });
  const all = await history(bobs);
  expect(all.map(({ body }) => body)).toEqual(['one', 'two, of the device', 'two, of its copy']);
  expect(all[1]?.encryption).toMatchObject({ anomalies: [{ code: 'FORK' }] });
});

test('a copy that reads the channel first goes on behind the last number', async () => {
  const [carol, dave] = await Promise.all([world.person('carol'), world.person('dave')]);
  const [own, daves] = await pair(carol, dave);
  const copy = copyOf(carol.keyStore);
  const scope = await scopeOf(carol.keyStore, 'carol');
  await copy.get(`${scope}/outgoing/${carol.encryption.cardId}/${own.sid}`);
  await deliver(own, daves, 'one');
  const restored = await world.again(carol, { keyStore: copy });
  const theirs = await restored.client.getChannelBySid(own.sid);
  await history(theirs);
  const message = await deliver(theirs, daves, 'two');
  expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
});
