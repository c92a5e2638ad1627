/** Lookups are put together out of texts that are stored and kept: they say what a plain search says. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  encodeLeaf,
  findInMap,
  identityHash,
  inclusionProof,
  lookupToJson,
  parseCardId,
  parseIdentity,
  type Identity,
  type LookupJson,
} from 'twilio-chat-encryption/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { createHistories, type Claim } from '../src/domain/histories.ts';
import { Recent } from '../src/domain/recent.ts';
import { decodeStored } from '../src/domain/stored-bytes.ts';
import { openStore } from '../src/index.ts';
import { createKeeper, lookUp, type Keeper } from './keeper.ts';

// Paths that go deeper than those whose ends are kept.
const PEOPLE = 700;
const person = (number: number): Identity => parseIdentity(`person ${number}`);

let keeper: Keeper;

beforeAll(async () => {
  const { store } = await openStore('sqlite::memory:');
  keeper = await createKeeper(store);
  await append(Array.from({ length: PEOPLE }, (_, number) => person(number)));
  return () => store.close();
});

async function append(identities: readonly Identity[]): Promise<void> {
  await keeper.store.transaction(async ({ log }) => {
    for (const identity of identities) {
      const cardId = parseCardId(randomBytes(32).toString('hex'));
      const entry = { operation: 'approve', time: 1, identity, cardId, content: 'YQ' } as const;
      await keeper.log.append(log, entry);
    }
  });
}

/** What the log of this size says, found with nothing kept. */
async function plainLookUp(identities: readonly Identity[], size: number): Promise<LookupJson> {
  const { log } = keeper.store;
  const last = await log.entry(size - 1);
  if (!last) throw new Error('There is no such size.');
  const mapRoot = decodeStored(last.mapRoot);
  const hashes = identities.map((identity) => identityHash(keeper.logKey.publicKey, identity));
  const found = await findInMap(log.readMap, mapRoot, hashes);
  const all = await log.entriesOf(identities, size);
  const entriesOf = (whose: Identity) =>
    all
      .filter(({ identity }) => identity === whose)
      .map(({ entry, content }) => ({ entry: decodeStored(entry), content }));
  return lookupToJson({
    lastLeaf: encodeLeaf(decodeStored(last.entry), mapRoot),
    inclusion: await inclusionProof(log.readTree, size - 1, size),
    found: identities.map((identity, index) => ({
      entries: entriesOf(identity),
      proof: found[index]?.proof ?? { siblings: [], other: null },
    })),
  });
}

test('whatever was looked up and added before, a lookup says what a plain search says', async () => {
  // Some of them are not there.
  const someone = fc.nat(PEOPLE + 100).map(person);
  const someones = fc.uniqueArray(someone, { maxLength: 40 });
  const everybody = Array.from({ length: PEOPLE + 100 }, (_, number) => person(number));
  const step = fc.record({ added: fc.array(someone, { maxLength: 3 }), wanted: someones });
  const check = async (identities: readonly Identity[]): Promise<void> => {
    const size = await keeper.store.log.size();
    expect(await lookUp(keeper, identities)).toEqual(await plainLookUp(identities, size));
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
      for (const { added, wanted } of steps) {
        await append(added);
        await check(wanted);
      }
    }),
    { numRuns: 20 },
  );
  await check(everybody);
});

test('what is kept of a log that has grown is not said of the log before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(PEOPLE), fc.integer({ min: 1, max: PEOPLE }), async (number, size) => {
      const identity = person(number);
      await append([identity]);
      await lookUp(keeper, [identity]);
      const answer: unknown = JSON.parse((await keeper.log.lookUpAt(identity, size)).toString());
      expect(answer).toEqual({ lookup: await plainLookUp([identity], size) });
    }),
    { numRuns: 20 },
  );
});

test('names that nobody could have are left out of a lookup, and the others are found', async () => {
  const answer = await keeper.log.lookUp(['\u0000', 'person 1', ' ', '__proto__', 'person 2'], 0);
  const found = await lookUp(keeper, [person(1), parseIdentity('__proto__'), person(2)]);
  expect(JSON.parse(answer.toString())).toMatchObject({ lookup: found });
});

test('text in the database that is none of the log’s breaks no answer open', async () => {
  const leaf = { left: 'name', right: 'history', count: 1 };
  const stored = { index: 0, identity: 'alice', entry: 'YQ', mapRoot: 'YQ' };
  const historyWith = (content: string): Promise<readonly string[]> =>
    createHistories({
      entriesOf: () => Promise.resolve([{ ...stored, content }]),
    })([{ identity: parseIdentity('alice'), leaf }], 1);
  const [text = ''] = await historyWith('"}],"other":{"');
  expect(JSON.parse(text)).toEqual([{ entry: 'YQ', content: '"}],"other":{"' }]);
  await expect(historyWith('\u0100')).rejects.toThrow('damaged');
});

describe('histories are read', () => {
  const MEBI = 1024 * 1024;

  function claims(count: number, entriesEach: number): readonly Claim[] {
    return Array.from({ length: count }, (_, number) => ({
      identity: person(number),
      leaf: { left: 'name', right: `history ${number}`, count: entriesEach },
    }));
  }

  /** Everybody has as many entries, of as many characters together; what is asked for is noted. */
  function readerOf(entriesEach: number, characters: number) {
    const asked: number[] = [];
    const content = 'A'.repeat(characters / entriesEach);
    const read = createHistories({
      entriesOf: (identities) => {
        asked.push(identities.length);
        const stored = { index: 0, entry: 'YQ', content, mapRoot: 'YQ' };
        return Promise.resolve(
          identities.flatMap((identity) =>
            Array.from({ length: entriesEach }, () => ({ ...stored, identity })),
          ),
        );
      },
    });
    return { read, asked };
  }

  test('in parts of as many entries as an answer has room for, each once', async () => {
    const { read, asked } = readerOf(1, 1000);
    const all = claims(1000, 1);
    expect(await read(all, 1000)).toHaveLength(1000);
    expect(asked).toEqual([512, 488]);
    await read(all, 1000);
    expect(asked).toHaveLength(2);
  });

  test('no further when the answer would be too long, however often it is asked for', async () => {
    const { read, asked } = readerOf(512, MEBI);
    expect(await read(claims(16, 512), 1)).toHaveLength(16);
    expect(asked).toEqual(Array.from({ length: 16 }, () => 1));
    const others = claims(40, 512).slice(16);
    await expect(read([...claims(1, 512), ...others], 1)).rejects.toMatchObject({
      code: 'TOO_MANY_RESULTS',
    });
    // Those of 16 answers, and the one that was too much.
    expect(asked.slice(16)).toEqual(Array.from({ length: 16 }, () => 1));
  });

  test('of somebody with more entries than that by themselves, and of the others together', async () => {
    const { read, asked } = readerOf(1, 1);
    const [first, second, third] = claims(3, 1);
    if (!first || !second || !third) throw new Error('unreachable');
    const long = { ...second, leaf: { left: 'name', right: 'long', count: 4096 } };
    expect(await read([first, long, third], 1)).toHaveLength(3);
    expect(asked).toEqual([1, 1, 1]);
  });
});

test('values are kept up to a bound, and those in use longest', () => {
  const kept = new Recent<string>(10, (value) => value.length);
  kept.set('used', 'aa');
  for (let turn = 0; turn < 100; turn += 1) {
    kept.set(String(turn), 'bb');
    expect(kept.get('used')).toBe('aa');
  }
  const names = Array.from({ length: 100 }, (_, turn) => String(turn));
  const left = names.filter((name) => kept.get(name) !== undefined);
  expect(left.length).toBeLessThanOrEqual(5);
  expect(kept.get('99')).toBe('bb');
});

test('a value that is larger than the bound takes no place for long', () => {
  const kept = new Recent<string>(10, (value) => value.length);
  kept.set('large', 'x'.repeat(1000));
  kept.set('a', 'x'.repeat(6));
  kept.set('b', 'x'.repeat(6));
  expect(kept.get('large')).toBeUndefined();
  expect(kept.get('b')).toHaveLength(6);
});
