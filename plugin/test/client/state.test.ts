import { describe, expect, test } from 'vitest';
import { MemoryKeyStore } from '../../src/client/key-store.ts';
import { readState, updateState, type StateType } from '../../src/client/state.ts';
import { utf8, utf8Text } from '../../src/protocol/primitives.ts';
import { codeOf } from '../outcomes.ts';

interface Counter {
  readonly count: number;
}

const COUNTER: StateType<Counter> = {
  initial: { count: 0 },
  isValid: (value): value is Counter =>
    typeof value === 'object' &&
    value !== null &&
    'count' in value &&
    Number.isSafeInteger(value.count),
};

const next = ({ count }: Counter): Counter => ({ count: count + 1 });

describe('remembered state', () => {
  test('starts with its initial value, and is stored only when it changes', async () => {
    const store = new MemoryKeyStore();
    expect(await readState(store, 'n', COUNTER)).toEqual({ count: 0 });
    await updateState(store, 'n', COUNTER, (same) => same);
    expect(await store.get('n')).toBeNull();
    const first = await updateState(store, 'n', COUNTER, next);
    expect(first).toEqual({ before: { count: 0 }, after: { count: 1 } });
    expect(utf8Text((await store.get('n')) ?? new Uint8Array())).toBe('{"count":1}');
  });

  test('changes atomically', async () => {
    const store = new MemoryKeyStore();
    const all = await Promise.all(
      Array.from({ length: 20 }, () => updateState(store, 'n', COUNTER, next)),
    );
    expect(new Set(all.map(({ after }) => after.count)).size).toBe(20);
    expect(await readState(store, 'n', COUNTER)).toEqual({ count: 20 });
  });

  test.each(['', '{', 'null', '{"count":"1"}', '{"count":1.5}', '[]', '\u0000'])(
    'that is damaged (%j) is an error, not a new start',
    async (text) => {
      const store = new MemoryKeyStore();
      await store.update('n', () => utf8(text));
      expect(await codeOf(readState(store, 'n', COUNTER))).toBe('KEY_RECORD_DAMAGED');
      expect(await codeOf(updateState(store, 'n', COUNTER, next))).toBe('KEY_RECORD_DAMAGED');
      expect(await store.get('n')).toEqual(utf8(text));
    },
  );

  test('that is not UTF-8 is damaged', async () => {
    const store = new MemoryKeyStore();
    await store.update('n', () => Uint8Array.of(0xff, 0xfe));
    expect(await codeOf(readState(store, 'n', COUNTER))).toBe('KEY_RECORD_DAMAGED');
  });
});
