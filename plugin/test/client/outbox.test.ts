import { MemoryKeyStore } from 'twilio-chat-encryption';
import { describe, expect, test } from 'vitest';
import { outbox, type OutboxEntry } from '../../src/client/outbox.ts';
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
