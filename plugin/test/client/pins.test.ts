import { describe, expect, test } from 'vitest';
import { MemoryKeyStore } from '../../src/client/key-store.ts';
import { parseIdentity, type CardId, type Identity } from 'twilio-chat-encryption/protocol';
import { pins, type Pins } from '../../src/client/pins.ts';
import { utf8 } from '../../src/protocol/primitives.ts';
import { codeOf } from '../outcomes.ts';
import { person } from '../protocol/people.ts';

const [phone, laptop, planted] = [await person('bob'), await person('bob'), await person('bob')];
const [alice, bob] = [parseIdentity('alice'), parseIdentity('bob')];
const ids = { phone: phone.card.id, laptop: laptop.card.id, planted: planted.card.id };

/** A run of alice's device on a store, and what it reported. */
function run(
  store = new MemoryKeyStore(),
  owner: Identity = alice,
): { pinned: Pins; reports: (readonly [Identity, readonly CardId[]])[]; store: MemoryKeyStore } {
  const reports: (readonly [Identity, readonly CardId[]])[] = [];
  const pinned = pins(store, owner, (...report) => reports.push(report));
  return { pinned, reports, store };
}

describe('pins', () => {
  test('are made at first sight, of all cards there are', async () => {
    const { pinned, reports } = run();
    expect(await pinned.knows(bob)).toBe(false);
    const first = await pinned.check(bob, [phone.card, laptop.card]);
    expect([...first]).toEqual([
      [ids.phone, 'new'],
      [ids.laptop, 'new'],
    ]);
    expect(await pinned.knows(bob)).toBe(true);
    expect([...(await pinned.check(bob, [laptop.card]))]).toEqual([[ids.laptop, 'pinned']]);
    expect(reports).toEqual([]);
  });

  test('are not made of nothing: an identity without cards is still unknown', async () => {
    const { pinned } = run();
    await pinned.check(bob, []);
    expect(await pinned.knows(bob)).toBe(false);
    expect([...(await pinned.check(bob, [phone.card]))]).toEqual([[ids.phone, 'new']]);
  });

  test('report a card that came later, once in a run', async () => {
    const { pinned, reports, store } = run();
    await pinned.check(bob, [phone.card]);
    for (let time = 0; time < 3; time += 1) {
      const trust = await pinned.check(bob, [phone.card, planted.card]);
      expect(trust.get(ids.phone)).toBe('pinned');
      expect(trust.get(ids.planted)).toBe('changed');
    }
    expect(reports).toEqual([[bob, [ids.planted]]]);
    const later = run(store);
    await later.pinned.check(bob, [planted.card]);
    expect(later.reports).toEqual([[bob, [ids.planted]]]);
  });

  test('report each later card by itself', async () => {
    const { pinned, reports } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.check(bob, [planted.card]);
    await pinned.check(bob, [planted.card, laptop.card]);
    expect(reports).toEqual([
      [bob, [ids.planted]],
      [bob, [ids.laptop]],
    ]);
  });

  test('are added to by an acknowledgement, only of what was reported', async () => {
    const { pinned, reports, store } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.check(bob, [laptop.card]);
    expect(await pinned.acknowledge(bob, [ids.laptop])).toEqual([ids.laptop]);
    expect([...(await pinned.check(bob, [laptop.card]))]).toEqual([[ids.laptop, 'pinned']]);
    expect([...(await pinned.check(bob, [planted.card]))]).toEqual([[ids.planted, 'changed']]);
    expect(reports.at(-1)).toEqual([bob, [ids.planted]]);
    expect([...(await run(store).pinned.check(bob, [laptop.card]))]).toEqual([
      [ids.laptop, 'pinned'],
    ]);
  });

  test('do not take in a card that was reported earlier and ignored', async () => {
    const { pinned } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.check(bob, [planted.card]);
    await pinned.check(bob, [laptop.card]);
    expect(await pinned.acknowledge(bob, [ids.laptop])).toEqual([ids.laptop]);
    expect([...(await pinned.check(bob, [planted.card]))]).toEqual([[ids.planted, 'changed']]);
  });

  test('stay without a change when there is nothing to acknowledge', async () => {
    const { pinned } = run();
    expect(await pinned.acknowledge(bob, [ids.planted])).toEqual([]);
    expect(await pinned.knows(bob)).toBe(false);
    await pinned.check(bob, [phone.card]);
    expect(await pinned.acknowledge(bob, [ids.planted])).toEqual([]);
    expect([...(await pinned.check(bob, [planted.card]))]).toEqual([[ids.planted, 'changed']]);
  });

  test('of one first sight hold when two checks race', async () => {
    const { pinned } = run();
    const [one, two] = await Promise.all([
      pinned.check(bob, [phone.card]),
      pinned.check(bob, [planted.card]),
    ]);
    expect([...one.values(), ...two.values()].toSorted()).toEqual(['changed', 'new']);
  });

  test('are each owner’s and each identity’s own, also when names run together', async () => {
    const { store, pinned } = run();
    await pinned.check(bob, [phone.card]);
    const carol = run(store, parseIdentity('carol'));
    expect(await carol.pinned.knows(bob)).toBe(false);
    const [a, b] = [parseIdentity('x","y'), parseIdentity('z')];
    await run(store, a).pinned.check(b, [phone.card]);
    expect(await run(store, parseIdentity('x')).pinned.knows(parseIdentity('y","z'))).toBe(false);
  });

  test('mark cards as verified, which no other card inherits', async () => {
    const { pinned, store } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.markVerified(bob, [ids.phone]);
    expect([...(await pinned.check(bob, [phone.card, laptop.card]))]).toEqual([
      [ids.phone, 'verified'],
      [ids.laptop, 'changed'],
    ]);
    await pinned.acknowledge(bob, [ids.laptop]);
    // Also in a later run: the mark is kept with the pins.
    expect([...(await run(store).pinned.check(bob, [phone.card, laptop.card]))]).toEqual([
      [ids.phone, 'verified'],
      [ids.laptop, 'pinned'],
    ]);
  });

  test('mark a card that was reported and not acknowledged: that is more than acknowledging', async () => {
    const { pinned, reports } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.check(bob, [laptop.card, planted.card]);
    await pinned.markVerified(bob, [ids.phone, ids.laptop]);
    await pinned.markVerified(bob, [ids.phone]);
    expect([...(await pinned.check(bob, [phone.card, laptop.card, planted.card]))]).toEqual([
      [ids.phone, 'verified'],
      [ids.laptop, 'verified'],
      [ids.planted, 'changed'],
    ]);
    expect(reports).toEqual([[bob, [ids.laptop, ids.planted]]]);
    expect(await pinned.acknowledge(bob, [ids.laptop])).toEqual([]);
  });

  test('that an earlier release stored have no marks, and take them', async () => {
    const { pinned, store } = run();
    const stored = JSON.stringify({ pinned: [ids.phone], changed: [] });
    await store.update('pins/["alice","bob"]', () => utf8(stored));
    expect([...(await pinned.check(bob, [phone.card]))]).toEqual([[ids.phone, 'pinned']]);
    await pinned.markVerified(bob, [ids.phone]);
    expect([...(await pinned.check(bob, [phone.card]))]).toEqual([[ids.phone, 'verified']]);
  });

  test.each([
    '',
    '{}',
    '{"pinned":[],"changed":["x"]}',
    '{"pinned":{},"changed":[]}',
    '{"pinned":[],"changed":[],"verified":["x"]}',
    '{"pinned":[],"changed":[],"verified":null}',
  ])('that are damaged (%j) are an error, never a new first sight', async (text) => {
    const { pinned, store } = run();
    await pinned.check(bob, [phone.card]);
    await store.update('pins/["alice","bob"]', (current) => {
      expect(current).not.toBeNull();
      return utf8(text);
    });
    expect(await codeOf(pinned.knows(bob))).toBe('KEY_RECORD_DAMAGED');
    expect(await codeOf(pinned.check(bob, [planted.card]))).toBe('KEY_RECORD_DAMAGED');
    expect(await codeOf(pinned.acknowledge(bob, [ids.planted]))).toBe('KEY_RECORD_DAMAGED');
    expect(await codeOf(pinned.markVerified(bob, [ids.planted]))).toBe('KEY_RECORD_DAMAGED');
  });
});
