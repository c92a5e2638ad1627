import { MemoryKeyStore } from 'twilio-chat-encryption';
import { describe, expect, test, vi } from 'vitest';
import { ledger, type Sight, type Verdict } from '../../src/client/ledger.ts';
import type { Records } from '../../src/client/state.ts';
import { cardIdOf, messageIdOf, parseChannelSid } from '../../src/protocol/identifiers.ts';

const OTHER = cardIdOf(new Uint8Array(32));
const CARD = cardIdOf(new Uint8Array(32).fill(1));
const [ONE, TWO] = [1, 2].map((byte) => messageIdOf(new Uint8Array(16).fill(byte)));
const KNOWN = { is: 'known', fork: false, latestRevision: 0 };

function sight(changes: Partial<Sight> & { messageId?: Sight['name']['messageId'] } = {}): Sight {
  const { messageId = ONE, ...rest } = changes;
  if (!messageId) throw new Error('No message id.');
  return {
    channelSid: parseChannelSid('CH1'),
    messageSid: 'IM1',
    index: 0,
    name: { cardId: CARD, messageId, sequence: 1 },
    revision: 0,
    digest: 'original',
    ...rest,
  };
}

type RecordOne = (one: Sight) => Promise<Verdict | undefined>;

/** The ledger in a store, for one sight at a time. */
function oneByOne(store: MemoryKeyStore): RecordOne {
  const record = ledger(store);
  return async (one) => (await record([one])).at(0);
}

function empty(): { record: RecordOne; afterRestart: () => RecordOne } {
  const store = new MemoryKeyStore();
  return { record: oneByOne(store), afterRestart: () => oneByOne(store) };
}

describe('a ledger', () => {
  test('knows a message at its place, also when it is read again after a restart', async () => {
    const { record, afterRestart } = empty();
    expect(await record(sight())).toEqual(KNOWN);
    expect(await record(sight())).toEqual(KNOWN);
    expect(await afterRestart()(sight())).toEqual(KNOWN);
  });

  test.each([
    ['sid', { messageSid: 'IM2', index: 5 }],
    ['index, with the very sid of the original', { index: 5 }],
  ])('hides a copy at another %s', async (_what, place) => {
    const { record } = empty();
    await record(sight());
    expect(await record(sight(place))).toEqual({ is: 'copy' });
  });

  test('knows a copy of any version of an edited message', async () => {
    const { record } = empty();
    await record(sight());
    await record(sight({ revision: 1, digest: 'edit' }));
    expect(await record(sight({ index: 5 }))).toEqual({ is: 'copy' });
    expect(await record(sight({ index: 6, revision: 1, digest: 'edit' }))).toEqual({ is: 'copy' });
  });

  test('refuses the same message with other bytes, here and elsewhere', async () => {
    const { record } = empty();
    await record(sight());
    expect(await record(sight({ digest: 'other' }))).toEqual({ is: 'replayed' });
    expect(await record(sight({ digest: 'other', index: 5 }))).toEqual({ is: 'replayed' });
  });

  test.each([
    ['with the same sid', {}],
    ['with another sid at the same index', { messageSid: 'IM2' }],
  ])('refuses another message in the place of one, %s', async (_what, place) => {
    const { record } = empty();
    await record(sight());
    const other = { ...place, name: { ...sight().name, sequence: 2 }, digest: 'held back' };
    expect(await record(sight(other))).toEqual({ is: 'replayed' });
    // In its own place it is welcome all the same.
    expect(await record(sight({ ...other, messageSid: 'IM3', index: 1 }))).toEqual(KNOWN);
  });

  test('lets nothing else stand where a message stood that Twilio gave no sid', async () => {
    const { record } = empty();
    expect(await record(sight({ messageSid: '' }))).toEqual(KNOWN);
    const other = { name: { ...sight().name, sequence: 2 }, digest: 'held back' };
    for (const messageSid of ['', 'IM1']) {
      expect(await record(sight({ ...other, messageSid }))).toEqual({ is: 'replayed' });
    }
  });

  test('lets nothing else stand where a copy was hidden', async () => {
    const { record } = empty();
    await record(sight());
    expect(await record(sight({ messageSid: 'IM2', index: 1 }))).toEqual({ is: 'copy' });
    const other = { ...(TWO && { messageId: TWO }), index: 1, digest: 'other' };
    expect(await record(sight({ ...other, messageSid: 'IM2' }))).toEqual({ is: 'replayed' });
    expect(await record(sight({ ...other, messageSid: 'IM3' }))).toEqual({ is: 'replayed' });
  });

  test('takes an edit at no more than a few copies', async () => {
    const { record } = empty();
    await record(sight());
    for (let index = 1; index < 20; index += 1) {
      expect(await record(sight({ index }))).toEqual({ is: 'copy' });
    }
    const edit = { revision: 1, digest: 'edit' };
    expect(await record(sight({ ...edit, index: 19 }))).toEqual({ is: 'replayed' });
    expect(await record(sight({ ...edit, index: 8 }))).toEqual({ ...KNOWN, latestRevision: 1 });
  });

  test('sees a fork: two messages of one card with one number', async () => {
    const { record } = empty();
    await record(sight());
    const forked = { ...(TWO && { messageId: TWO }), messageSid: 'IM2', index: 1, digest: 'fork' };
    expect(await record(sight(forked))).toEqual({ ...KNOWN, fork: true });
    expect(await record(sight())).toEqual({ ...KNOWN, fork: true });
  });

  test('follows edits upwards, and sees the way back', async () => {
    const { record, afterRestart } = empty();
    await record(sight());
    const second = { ...KNOWN, latestRevision: 2 };
    expect(await record(sight({ revision: 2, digest: 'second' }))).toEqual(second);
    const old = afterRestart();
    expect(await old(sight({ revision: 1, digest: 'first' }))).toEqual(second);
    expect(await old(sight())).toEqual(second);
    expect(await old(sight({ revision: 2, digest: 'second' }))).toEqual(second);
  });

  test('sees the original behind an edit that was read first', async () => {
    const { record } = empty();
    const first = { ...KNOWN, latestRevision: 1 };
    expect(await record(sight({ revision: 1, digest: 'first' }))).toEqual(first);
    expect(await record(sight())).toEqual(first);
  });

  test('takes an edit at the place of its message only', async () => {
    const { record } = empty();
    await record(sight());
    const elsewhere = sight({ revision: 1, digest: 'first', messageSid: 'IM2', index: 1 });
    expect(await record(elsewhere)).toEqual({ is: 'replayed' });
  });

  test('takes an edit at the place of a copy that was seen first, and then hides the copy', async () => {
    const { record, afterRestart } = empty();
    const original = { messageSid: 'IM2', index: 1 };
    await record(sight());
    expect(await record(sight(original))).toEqual({ is: 'copy' });
    const edit = sight({ ...original, revision: 1, digest: 'edit' });
    expect(await record(edit)).toEqual({ ...KNOWN, latestRevision: 1 });
    expect(await afterRestart()(sight())).toEqual({ is: 'copy' });
    expect(await record(sight({ revision: 1, digest: 'edit' }))).toEqual({ is: 'copy' });
    // An edit of before is no reason to move back.
    expect(await record(sight({ revision: 1, digest: 'other' }))).toEqual({ is: 'replayed' });
  });

  test('calls two edits with one revision a fork', async () => {
    const { record } = empty();
    await record(sight({ revision: 1, digest: 'on the phone' }));
    const rival = sight({ revision: 1, digest: 'on the desktop' });
    expect(await record(rival)).toEqual({ ...KNOWN, latestRevision: 1, fork: true });
  });

  test('keeps channels, cards and numbers apart', async () => {
    const { record } = empty();
    await record(sight());
    expect(await record(sight({ channelSid: parseChannelSid('CH2') }))).toEqual(KNOWN);
    const other = { ...sight().name, cardId: OTHER };
    expect(await record(sight({ name: other, index: 1 }))).toEqual(KNOWN);
  });

  test('says of many sights at once what it says of them one by one, with one wait for the store', async () => {
    const again = { ...(TWO && { messageId: TWO }) };
    const sights = [
      sight(),
      sight({ index: 5 }),
      sight({ ...again, messageSid: 'IM2', index: 1, digest: 'fork' }),
      sight({ ...again, index: 0, digest: 'in the place of another' }),
      sight(),
      sight({ revision: 2, digest: 'edit' }),
      sight(),
    ];
    const { record } = empty();
    const expected: unknown[] = [];
    for (const one of sights) expected.push(await record(one));
    const store = new MemoryKeyStore();
    const updateAll = vi.spyOn(store, 'updateAll');
    expect(await ledger(store)(sights)).toEqual(expected);
    expect(updateAll).toHaveBeenCalledTimes(1);
    // A store of the application's own may have single updates only.
    const single = new MemoryKeyStore();
    const own: Records = {
      get: (name) => single.get(name),
      update: (name, change) => single.update(name, change),
      lock: (name, work) => single.lock(name, work),
    };
    expect(await ledger(own)(sights)).toEqual(expected);
  });

  test('is filled neither by forks nor by edits without end', async () => {
    const store = new MemoryKeyStore();
    const record = oneByOne(store);
    for (let number = 0; number < 40; number += 1) {
      const messageId = messageIdOf(new Uint8Array(16).fill(number));
      await record(sight({ messageId, index: number, digest: `fork ${number}` }));
      await record(
        sight({
          name: { ...sight().name, sequence: 2 },
          index: 50,
          revision: number + 1,
          digest: `edit ${number}`,
        }),
      );
    }
    for (const sequence of [1, 2]) {
      const kept = await store.get(`message/CH1/${CARD}/${sequence}`);
      expect(kept?.length).toBeLessThan(4000);
    }
  });
});
