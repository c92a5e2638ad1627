/** What every key store does; each implementation's tests run it. */
import { describe, expect, test } from 'vitest';
import type { KeyStore, RecordChange } from '../../src/client/key-store.ts';
import { random } from '../protocol/people.ts';

/**
 * Declares the suite.
 * @param make gives an empty store, a different one each time
 */
export function describeKeyStore(name: string, make: () => Promise<Required<KeyStore>>): void {
  describe(`${name}, as a key store,`, () => {
    test('has no record that was not stored', async () => {
      const store = await make();
      expect(await store.get('none')).toBeNull();
      await store.update('none', (current) => {
        expect(current).toBeNull();
        return null;
      });
      expect(await store.get('none')).toBeNull();
    });

    test('gives back what was stored, replaces it and deletes it', async () => {
      const store = await make();
      for (const record of [
        random(1),
        new Uint8Array(),
        new Uint8Array(1_000_000).fill(9),
        random(7),
      ]) {
        await store.update('a', () => record);
        expect(await store.get('a')).toEqual(record);
      }
      await store.update('a', () => null);
      expect(await store.get('a')).toBeNull();
    });

    test('gives the change what is stored', async () => {
      const store = await make();
      const record = random(20);
      await store.update('a', () => record);
      await store.update('a', (current) => {
        expect(current).toEqual(record);
        return current;
      });
      expect(await store.get('a')).toEqual(record);
    });

    test('keeps records of different names apart, whatever the names', async () => {
      const store = await make();
      const all = [...STRANGE, ...STRANGE.map((scope) => `${scope}/x`), '/', '//', 'a/../b'];
      for (const [index, one] of all.entries()) {
        await store.update(one, () => Uint8Array.of(index));
      }
      for (const [index, one] of all.entries()) {
        expect(await store.get(one), one.slice(0, 20)).toEqual(Uint8Array.of(index));
      }
    });

    test('deletes all records of a scope at once, and no others', async () => {
      const store = await make();
      const own = ['a/', 'a/b', 'a/b/c', 'a//', 'a/語'];
      const others = ['a', 'ab/c', 'a0', 'a.', 'A/b', 'b/a/c', '/a'];
      for (const one of [...own, ...others]) await store.update(one, () => random(3));
      await store.clear('a');
      for (const one of own) expect(await store.get(one), one).toBeNull();
      for (const one of others) expect(await store.get(one), one).not.toBeNull();
      await store.clear('a');
      await store.clear('nobody');
      await store.update('a/b', () => random(4));
      expect(await store.get('a/b')).toHaveLength(4);
    });

    test('keeps scopes apart, whatever their names', async () => {
      const store = await make();
      for (const scope of STRANGE) await store.update(`${scope}/x`, () => random(3));
      const left = new Set(STRANGE);
      for (const cleared of STRANGE) {
        await store.clear(cleared);
        left.delete(cleared);
        for (const scope of STRANGE) {
          const record = await store.get(`${scope}/x`);
          expect(record !== null, scope.slice(0, 20)).toBe(left.has(scope));
        }
      }
    });

    test('has nothing in a scope with a slash in its name', async () => {
      const store = await make();
      const names = ['a/b/c', '//', 'a/'];
      for (const one of names) await store.update(one, () => random(3));
      for (const scope of ['a/b', '/', 'a/']) await store.clear(scope);
      for (const one of names) expect(await store.get(one), one).not.toBeNull();
    });

    test('clears a scope between two updates, never in the middle of one', async () => {
      const store = await make();
      await clearBesideUpdates([store]);
    });

    test('clears a scope beside a lock of it, which stays with its holder', async () => {
      const store = await make();
      await store.update('a/b', () => Uint8Array.of(1));
      const order: string[] = [];
      const first = store.lock('a/b', async () => {
        await store.clear('a');
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(await store.get('a/b')).toBeNull();
        await store.update('a/b', () => Uint8Array.of(2));
        order.push('first');
      });
      const second = store.lock('a/b', async () => {
        order.push('second');
        expect(await store.get('a/b')).toEqual(Uint8Array.of(2));
      });
      await Promise.all([first, second]);
      expect(order).toEqual(['first', 'second']);
    });

    test('shares no memory with its caller', async () => {
      const store = await make();
      const given = Uint8Array.of(1);
      await store.update('a', () => given);
      given[0] = 2;
      (await store.get('a'))?.fill(3);
      expect(await store.get('a')).toEqual(Uint8Array.of(1));
    });

    test('leaves the record when the change throws, and passes its error on', async () => {
      const store = await make();
      await store.update('a', () => Uint8Array.of(1));
      const error = new Error('no');
      const change = (): never => {
        throw error;
      };
      await expect(store.update('a', change)).rejects.toBe(error);
      await expect(store.update('b', change)).rejects.toBe(error);
      expect(await store.get('a')).toEqual(Uint8Array.of(1));
      expect(await store.get('b')).toBeNull();
      await store.update('a', () => Uint8Array.of(2));
      expect(await store.get('a')).toEqual(Uint8Array.of(2));
    });

    test('makes many updates in their order, each seeing what those before it wrote', async () => {
      const store = await make();
      await store.update('s/a', () => Uint8Array.of(1));
      await store.update('s/b', () => Uint8Array.of(1));
      const seen: (readonly [string, number | null])[] = [];
      const adding = (name: string, next: number | null): RecordChange => ({
        name,
        change(current) {
          seen.push([name, current?.[0] ?? null]);
          return next === null ? null : Uint8Array.of(next);
        },
      });
      const many = Array.from({ length: 150 }, (_, at) => adding(`many/${at}`, at));
      await store.updateAll([
        ...[adding('s/a', 2), adding('s/b', null), adding('new', 5)],
        ...[adding('s/a', 3), adding('s/b', 4), adding('new', null)],
        ...many,
      ]);
      expect(seen.slice(0, 6)).toEqual([
        ...[['s/a', 1], ['s/b', 1], ['new', null]], // prettier-ignore
        ...[['s/a', 2], ['s/b', null], ['new', 5]], // prettier-ignore
      ]);
      expect(await store.get('s/a')).toEqual(Uint8Array.of(3));
      expect(await store.get('s/b')).toEqual(Uint8Array.of(4));
      expect(await store.get('new')).toBeNull();
      for (const at of [0, 99, 149]) {
        expect(await store.get(`many/${at}`)).toEqual(Uint8Array.of(at));
      }
      await store.updateAll([]);
    });

    test('passes on what one of many changes throws, and goes on', async () => {
      const store = await make();
      await store.update('b', () => Uint8Array.of(1));
      const error = new Error('no');
      const change = (): never => {
        throw error;
      };
      const changes = [
        { name: 'a', change: () => Uint8Array.of(2) },
        { name: 'b', change },
      ];
      await expect(store.updateAll(changes)).rejects.toBe(error);
      expect(await store.get('b')).toEqual(Uint8Array.of(1));
      await store.updateAll([{ name: 'b', change: () => Uint8Array.of(3) }]);
      expect(await store.get('b')).toEqual(Uint8Array.of(3));
    });

    test('counts to 100 in 100 updates at once', async () => {
      const store = await make();
      await countTo(100, [store]);
    });

    test('runs the works of one lock one at a time, in the order in which it was asked for', async () => {
      const store = await make();
      await lockInTurn(20, [store]);
    });

    test('runs works of different locks side by side, and updates inside of them', async () => {
      const store = await make();
      const met = Promise.withResolvers<null>();
      const outer = store.lock('a', async () => {
        await met.promise;
        await store.update('record', () => Uint8Array.of(1));
        return store.lock('c', () => store.get('record'));
      });
      await store.lock('b', () => {
        met.resolve(null);
        return Promise.resolve();
      });
      expect(await outer).toEqual(Uint8Array.of(1));
    });

    test('passes on what the work of a lock throws, whatever it is, and goes on', async () => {
      const store = await make();
      for (const error of [new Error('no'), new DOMException('no', 'TimeoutError')]) {
        const throwing = (): never => {
          throw error;
        };
        await expect(store.lock('a', () => Promise.reject(error))).rejects.toBe(error);
        await expect(store.lock('a', throwing)).rejects.toBe(error);
      }
      expect(await store.lock('a', () => Promise.resolve('next'))).toBe('next');
    });
  });
}

/** Names, and names of scopes, that a store might take for one another, or for something else. */
const STRANGE = [
  ...[
    '',
    '.',
    '..',
    'a',
    'A',
    'a ',
    'ab',
    'a.',
    'a0',
    'a\\b',
    '\0',
    'a\0',
    '\n',
    '\u001f',
    '\u007f',
  ],
  ...['__proto__', 'constructor', 'CON', 'update.lock', '%2e', '語', 'é', 'e\u0301', '\ufeff'],
  ...['\u{1f600}', '\ud83d', '\ude00', '\ufffd', '\uffff', 'n'.repeat(1000), 'n'.repeat(100_000)],
];

/**
 * Clears a scope in the middle of many updates, over all the stores, which share records: before it, the
 * updates see what was there, and after it nothing of it.
 */
export async function clearBesideUpdates(stores: readonly KeyStore[]): Promise<void> {
  const expected = new Map<string, number>();
  let isCleared = false;
  const count = async (store: KeyStore, name: string): Promise<void> => {
    await store.update(name, (current) => {
      const value = current?.[0] ?? 0;
      if (value !== (expected.get(name) ?? 0)) {
        expect({ value, isCleared }).toEqual({ value: 0, isCleared: false });
        isCleared = true;
        expected.clear();
      }
      expected.set(name, value + 1);
      return Uint8Array.of(value + 1);
    });
  };
  const names = ['a/1', 'a/2', 'a/3'];
  const countAll = () => stores.flatMap((store) => names.map((name) => count(store, name)));
  const others = stores.map((store) => store.update('ab/1', () => Uint8Array.of(9)));
  const before = [1, 2, 3, 4].flatMap(countAll);
  const clearing = stores[0]?.clear('a');
  const after = [1, 2, 3, 4].flatMap(countAll);
  await Promise.all([...others, ...before, clearing, ...after]);
  for (const store of stores) {
    const found = await Promise.all(names.map(async (name) => (await store.get(name))?.[0]));
    expect({ found, isCleared }).toEqual({
      found: names.map((name) => expected.get(name)),
      isCleared: true,
    });
    expect(await store.get('ab/1')).toEqual(Uint8Array.of(9));
  }
}

/** Has so many works wait for one lock, which all the stores share: each runs alone, in its turn. */
export async function lockInTurn(count: number, stores: readonly KeyStore[]): Promise<void> {
  const begun: number[] = [];
  let running = 0;
  const works = Array.from({ length: count }, async (_, at) => {
    await stores[at % stores.length]?.lock('in turn', async () => {
      begun.push(at);
      running += 1;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
    });
  });
  await Promise.all(works);
  expect(begun).toEqual(Array.from({ length: count }, (_, at) => at));
}

/** Counts up by one in so many concurrent updates, over all the stores, which share records. */
export async function countTo(count: number, stores: readonly KeyStore[]): Promise<void> {
  const seen: number[] = [];
  const each = Array.from({ length: count / stores.length }, () => stores).flat();
  await Promise.all(
    each.map((store) =>
      store.update('counter', (current) => {
        const next = (current?.[0] ?? 0) + 1;
        seen.push(next);
        return Uint8Array.of(next);
      }),
    ),
  );
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  for (const store of stores) expect(await store.get('counter')).toEqual(Uint8Array.of(count));
}
