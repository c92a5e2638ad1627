import { MemoryKeyStore } from 'twilio-chat-encryption';
import { describe, expect, test } from 'vitest';
import { full } from '../../src/client/key-store.ts';
import { outbox, type OutboxEntry } from '../../src/client/outbox.ts';
import type { Records } from '../../src/client/state.ts';
import { cardIdOf } from '../../src/protocol/identifiers.ts';
import { codeOf } from '../outcomes.ts';
import { CHANNEL } from '../protocol/people.ts';

const OWN = cardIdOf(new Uint8Array(32));
const NAME = `outgoing/${OWN}/${CHANNEL}`;

const entry = (sequence: number): Promise<OutboxEntry> =>
  Promise.resolve({ sequence, kind: 'message', text: `e2e1.${sequence}`, recipients: '' });

const SESSION = {
  sessionId: '',
  messageKey: '',
  suite: 1,
  keyMessageIndex: 0,
  recipients: '',
  openedAt: 0,
  left: 2,
} as const;

describe('an outbox whose record went back', () => {
  test.each([
    ['was deleted', () => null],
    ['was replaced by an old one', (old: Uint8Array<ArrayBuffer> | null) => old],
  ])('because it %s, gives away no number twice', async (_what, replace) => {
    const store = new MemoryKeyStore();
    const box = outbox(store, OWN, CHANNEL);
    await box.add(entry);
    const old = await store.get(NAME);
    const last = await box.add(entry);
    await store.update(NAME, () => replace(old));
    const before = await store.get(NAME);
    for (const action of [
      () => box.read(),
      () => box.add(entry),
      () => box.remove(last),
      () => box.setSession(SESSION),
      () => box.spend(SESSION),
    ]) {
      expect(await codeOf(action())).toBe('KEY_RECORD_DAMAGED');
    }
    expect(await store.get(NAME)).toEqual(before);
    // Reading its own messages tells a device how far it was.
    expect(await box.raise(last.sequence)).toBe(2);
    expect((await box.add(entry)).sequence).toBe(3);
  });

  test('while an envelope was being made, gives away no number twice', async () => {
    const store = new MemoryKeyStore();
    const box = outbox(store, OWN, CHANNEL);
    await box.add(entry);
    const adding = box.add(async (sequence) => {
      await store.update(NAME, () => null);
      return entry(sequence);
    });
    expect(await codeOf(adding)).toBe('KEY_RECORD_DAMAGED');
    expect(await store.get(NAME)).toBeNull();
  });
});

test('an outbox goes on behind the numbers of other tabs', async () => {
  const store = new MemoryKeyStore();
  const [first, second] = [outbox(store, OWN, CHANNEL), outbox(store, OWN, CHANNEL)];
  const numbers: number[] = [];
  for (const box of [first, second, second, first]) numbers.push((await box.add(entry)).sequence);
  expect(numbers).toEqual([1, 2, 3, 4]);
  const [left] = (await second.read()).outbox;
  if (left) await second.remove(left);
  expect((await first.read()).outbox.map(({ sequence }) => sequence)).toEqual([2, 3, 4]);
});

describe('an envelope that was given up', () => {
  /** A store in which records can be deleted, and not written. */
  const fullStore = (store: MemoryKeyStore): Records => ({
    get: (name) => store.get(name),
    lock: (name, work) => store.lock(name, work),
    update: (name, change) =>
      store.update(name, (current) => {
        const next = change(current);
        if (next !== null && next !== current) throw full(null);
        return next;
      }),
  });

  async function givenUp(): Promise<MemoryKeyStore> {
    const store = new MemoryKeyStore();
    const left = await outbox(store, OWN, CHANNEL).add(entry);
    await outbox(fullStore(store), OWN, CHANNEL).giveUp(left);
    return store;
  }

  const kindsIn = async (store: Records) =>
    (await outbox(store, OWN, CHANNEL).read()).outbox.map(({ sequence, kind }) => [sequence, kind]);

  test('is gone from the outbox', async () => {
    const store = new MemoryKeyStore();
    const box = outbox(store, OWN, CHANNEL);
    await box.giveUp(await box.add(entry));
    expect(await box.read()).toMatchObject({ last: 1, outbox: [] });
  });

  test('and is still there, for lack of room, is not to be posted: not by other tabs either', async () => {
    const store = await givenUp();
    expect(await kindsIn(store)).toEqual([[1, 'unrepeatable']]);
    const [left] = (await outbox(store, OWN, CHANNEL).read()).outbox;
    if (left) await outbox(store, OWN, CHANNEL).remove(left);
    expect(await kindsIn(store)).toEqual([]);
  });

  test('does not come back with the next one, which may be posted again', async () => {
    const store = await givenUp();
    await outbox(store, OWN, CHANNEL).add(entry);
    expect(await kindsIn(store)).toEqual([[2, 'message']]);
    await outbox(store, OWN, CHANNEL).add(entry);
    expect(await kindsIn(store)).toEqual([
      [2, 'message'],
      [3, 'message'],
    ]);
  });

  test('is not to be posted by this process when nothing at all can be written', async () => {
    const store = new MemoryKeyStore();
    let isReadOnly = false;
    const update: Records['update'] = (name, change) =>
      isReadOnly ? Promise.reject(new Error('read only')) : store.update(name, change);
    const get: Records['get'] = (name) => store.get(name);
    const box = outbox({ get, update, lock: (name, work) => store.lock(name, work) }, OWN, CHANNEL);
    const left = await box.add(entry);
    isReadOnly = true;
    await expect(box.giveUp(left)).rejects.toThrow('read only');
    expect((await box.read()).outbox).toMatchObject([{ sequence: 1, kind: 'unrepeatable' }]);
  });
});
