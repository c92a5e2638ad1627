/** Vectors of whole answers of a log. */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import {
  base64url,
  curves,
  encodeHead,
  lookupFromJson,
  lookupToJson,
  parseIdentity,
  signHead,
  verifyHead,
  verifyLookup,
  type Identity,
  type LogHead,
  type LookupJson,
} from 'twilio-chat-encryption/protocol';
import { KeptLog } from '../../plugin/test/protocol/log/kept-log.ts';
import type { LogFile, LogLookupCase } from '../vector-files.ts';
import {
  device,
  historyVector,
  LOG_KEY,
  LOGGED,
  OTHER_LOG_KEY,
  revocation,
  type Device,
} from './logged.ts';
import { APP_KEY } from './people.ts';
import { bytesOf } from './source.ts';

const backEnd = await curves();
const SIGNED = LOGGED + 1_000_000;
const [ALICE, BOB, CAROL] = [parseIdentity('alice'), parseIdentity('bob'), parseIdentity('carol')];
const appKeys = [await backEnd.importVerifyingKey(APP_KEY.publicKey)];
const logKey = await backEnd.importVerifyingKey(LOG_KEY.publicKey);

const phone = await device('alice/phone');
const bobs = await device('bob/phone');
const laptop = await device('alice/laptop', { endorsers: [phone] });
const RETIRED = await revocation(phone, laptop);

/** Alice's phone, Bob's, Alice's laptop, which her phone endorsed and which retires it. */
async function keptLog(key = LOG_KEY): Promise<KeptLog> {
  const log = new KeptLog(key);
  const approve = ({ card, exported: content }: Device): Promise<number> => {
    const { identity, id: cardId } = card;
    return log.append({ operation: 'approve', time: time(), identity, cardId, content });
  };
  const time = (): number => LOGGED + 1000 * log.size;
  for (const one of [phone, bobs, laptop]) await approve(one);
  const entry = { operation: 'revoke', identity: ALICE, cardId: phone.card.id } as const;
  await log.append({ ...entry, time: time(), content: RETIRED });
  return log;
}

const log = await keptLog();
const pinned = [bytesToHex(APP_KEY.publicKey)];
const textOf = (head: LogHead): string => base64url.encode(encodeHead(head));

async function good(
  name: string,
  identities: readonly Identity[],
  size = log.size,
): Promise<LogLookupCase> {
  const head = await log.head(SIGNED, size);
  const json = lookupToJson(await log.lookup(identities, size));
  const lookup = lookupFromJson(json);
  if (!lookup || !(await verifyHead(logKey, head))) throw new Error(`Not a lookup: ${name}`);
  const histories = await verifyLookup(lookup, { logKey, appKeys, head, identities });
  return {
    name,
    result: 'ok',
    appKeys: pinned,
    identities,
    head: textOf(head),
    lookup: json,
    histories: identities.flatMap((identity) => {
      const history = histories.get(identity);
      return history ? [historyVector(history)] : [];
    }),
  };
}

/** `log-lookup.json`. */
export async function logLookupVectors(): Promise<LogFile<LogLookupCase>> {
  const alice = await good('somebody with two cards and a revocation', [ALICE]);
  const emptyLog = await good('of an empty log', [ALICE], 0);
  return {
    description:
      'Answers of a log as they travel, each with the head that it is for: what a client reads in them.',
    page: 'log.md',
    logKey: bytesToHex(LOG_KEY.publicKey),
    contents: {},
    cases: [
      alice,
      await good('two people and one who has nothing', [BOB, CAROL, ALICE]),
      await good('nobody', []),
      await good('one person twice', [BOB, BOB]),
      await good('as it was before the revocation', [ALICE], 3),
      await good('as it was with one entry', [BOB, ALICE], 1),
      emptyLog,
      { ...alice, name: 'with members that nobody asked for', lookup: withMore(alice.lookup) },
      ...(await badAnswers()),
      ...badForms(await good('', [BOB])),
    ],
  };
}

function lookupOf({ lookup }: LogLookupCase): LookupJson {
  const parsed = lookupFromJson(lookup);
  if (!parsed) throw new Error('Not a lookup.');
  return lookupToJson(parsed);
}

function withMore(lookup: unknown): unknown {
  return { ...Object(lookup), next: null };
}

function refused(
  name: string,
  { appKeys: keys, identities, head, lookup }: LogLookupCase,
  changes: Partial<LogLookupCase>,
): LogLookupCase {
  return { name, result: 'LOG_INVALID', appKeys: keys, identities, head, lookup, ...changes };
}

type Found = LookupJson['found'][number];

async function badAnswers(): Promise<readonly LogLookupCase[]> {
  const both = await good('', [ALICE, BOB]);
  const right = lookupOf(both);
  const [alices, bobsFound] = right.found;
  if (!alices || !bobsFound) throw new Error('The log has both.');
  const bad = (name: string, changes: Partial<LookupJson>): LogLookupCase =>
    refused(name, both, { lookup: { ...right, ...changes } });
  const entries = (
    name: string,
    change: (entries: Found['entries']) => Found['entries'],
  ): LogLookupCase =>
    bad(name, { found: [{ ...alices, entries: change(alices.entries) }, bobsFound] });
  const earlier = await good('', [ALICE, BOB], 3);
  const carols = lookupOf(await good('', [CAROL])).found;
  const other = await keptLog(OTHER_LOG_KEY);
  const root = (await log.head(SIGNED)).root;
  const leaf = base64url.decode(right.lastLeaf ?? '') ?? new Uint8Array();
  const leaves = log.leaves.map((one) => base64url.encode(one));
  const sign = async (size: number, of = root, key = LOG_KEY): Promise<string> =>
    textOf(await signHead(key, { size, root: of, signedAt: SIGNED }));
  return [
    entries('that leaves the revocation out', (all) => all.slice(0, -1)),
    entries('that leaves the first card out', (all) => all.slice(1)),
    entries('that leaves a card in the middle out', (all) => all.filter((_, at) => at !== 1)),
    entries('that leaves everything out', () => []),
    entries('in another order', (all) => all.toReversed()),
    entries('with an entry twice', (all) => [...all, ...all.slice(-1)]),
    entries('with an entry of somebody else', (all) => [...all, ...bobsFound.entries]),
    entries('with another content', (all) =>
      all.map(({ entry }) => ({ entry, content: phone.exported })),
    ),
    entries('without a content', (all) => all.map(({ entry }) => ({ entry, content: '' }))),
    entries('with a time that was changed', (all) =>
      all.map(({ entry, content }) => ({ entry: changedAt(entry, 8), content })),
    ),
    bad('about people in another order', { found: right.found.toReversed() }),
    bad('about too few people', { found: [alices] }),
    bad('about too many people', { found: [...right.found, bobsFound] }),
    bad('about one of them twice', { found: [alices, alices] }),
    bad('that shows one who has cards as nobody', { found: [...carols, bobsFound] }),
    refused('about somebody else', both, { identities: [CAROL, BOB] }),
    bad('with the proof of another person', {
      found: [{ ...alices, siblings: bobsFound.siblings }, bobsFound],
    }),
    bad('without the proof of the map', { found: [{ ...alices, siblings: [] }, bobsFound] }),
    bad('with another leaf in the proof', {
      found: [{ ...alices, other: carols[0]?.other ?? null }, bobsFound],
    }),
    bad('without the last leaf', { lastLeaf: null }),
    bad('with an earlier leaf', { lastLeaf: leaves[2] ?? null }),
    bad('with another map in the leaf', {
      lastLeaf: base64url.encode(concatBytes(leaf.slice(0, 105), bytesOf('lookup/map'))),
    }),
    bad('with another entry in the leaf', { lastLeaf: changedAt(right.lastLeaf ?? '', 40) }),
    bad('without the proof of the leaf', { inclusion: [] }),
    bad('with a hash more in that proof', {
      inclusion: [...right.inclusion, ...right.inclusion.slice(0, 1)],
    }),
    refused('of before the revocation, under the head of after it', earlier, { head: both.head }),
    refused('of after the revocation, under the head of before it', both, { head: earlier.head }),
    refused('of an empty log, under a head of one that is not', emptyAnswer(both), {}),
    refused('under a head of another size', both, { head: await sign(5) }),
    refused('under a head of another root', both, {
      head: await sign(4, bytesOf('lookup/root')),
    }),
    refused('under a head of no entries', both, { head: await sign(0) }),
    refused('of an empty log whose root is not that of nothing', emptyAnswer(both), {
      head: await sign(0),
    }),
    refused('under a head of another log’s key', both, {
      head: await sign(4, root, OTHER_LOG_KEY),
    }),
    refused('of another log', both, {
      head: textOf(await other.head(SIGNED)),
      lookup: lookupToJson(await other.lookup([ALICE, BOB])),
    }),
    refused('of another log, under a head of this one’s key', both, {
      head: await sign(4, (await other.head(SIGNED)).root),
      lookup: lookupToJson(await other.lookup([ALICE, BOB])),
    }),
    await illFormed(),
    refused('under a head whose time was changed', both, { head: changedAt(both.head, 47) }),
  ];
}

/** As bytes, U+FFFD is what is made of half a character: the detail fits both. */
async function illFormed(): Promise<LogLookupCase> {
  const one = new KeptLog(LOG_KEY);
  const entry = { operation: 'approve', time: LOGGED, identity: ALICE, content: '\ufffd' } as const;
  await one.append({ ...entry, cardId: phone.card.id });
  const { found, ...rest } = lookupToJson(await one.lookup([ALICE]));
  const change = (all: Found): Found => ({
    ...all,
    entries: all.entries.map(({ entry: bytes }) => ({ entry: bytes, content: '\ud800' })),
  });
  return {
    name: 'with a content that is ill-formed text',
    result: 'LOG_INVALID',
    appKeys: pinned,
    identities: [ALICE],
    head: textOf(await one.head(SIGNED)),
    lookup: { ...rest, found: found.map(change) },
  };
}

/** What an empty log would answer. */
function emptyAnswer(from: LogLookupCase): LogLookupCase {
  const nothing = { entries: [], siblings: [], other: null };
  const lookup: LookupJson = { lastLeaf: null, inclusion: [], found: [nothing, nothing] };
  return { ...from, lookup };
}

function changedAt(text: string, at: number): string {
  const bytes = base64url.decode(text) ?? new Uint8Array();
  return base64url.encode(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)));
}

function badForms(whole: LogLookupCase): readonly LogLookupCase[] {
  const right = lookupOf(whole);
  const [found] = right.found;
  const [first] = found?.entries ?? [];
  if (!found || !first) throw new Error('There is an entry.');
  const hash = base64url.encode(bytesOf('lookup/hash'));
  const short = base64url.encode(bytesOf('lookup/hash', 31));
  const leaf = { identityHash: hash, count: 1, history: hash };
  const one = (changes: object): unknown => ({ ...right, found: [{ ...found, ...changes }] });
  const forms: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['a list', []],
    ['a text', 'lookup'],
    ['without a last leaf', { inclusion: right.inclusion, found: right.found }],
    ['without an inclusion', { lastLeaf: right.lastLeaf, found: right.found }],
    ['without what was found', { lastLeaf: right.lastLeaf, inclusion: right.inclusion }],
    ['with a last leaf in hexadecimal', { ...right, lastLeaf: 'ab'.repeat(137) }],
    ['with a padded last leaf', { ...right, lastLeaf: `${right.lastLeaf ?? ''}=` }],
    ['with an inclusion that is no list', { ...right, inclusion: {} }],
    ['with a hash that is a number', { ...right, inclusion: [1] }],
    ['with a hash of 31 bytes', { ...right, inclusion: [short] }],
    ['with 55 hashes', { ...right, inclusion: Array.from({ length: 55 }, () => hash) }],
    ['with found ones that are no list', { ...right, found: found }],
    ['with a found one that is null', { ...right, found: [null] }],
    ['with entries that are no list', one({ entries: first })],
    [
      'with an entry that is cut short',
      one({ entries: [{ ...first, entry: first.entry.slice(4) }] }),
    ],
    ['with an entry without content', one({ entries: [{ entry: first.entry }] })],
    ['with a content that is a number', one({ entries: [{ ...first, content: 1 }] })],
    ['with siblings that are no list', one({ siblings: {} })],
    ['with a sibling of 31 bytes', one({ siblings: [short] })],
    ['without another leaf, not even null', { ...right, found: [without(found)] }],
    ['with another leaf that is a list', one({ other: [] })],
    ['with another leaf of 0 entries', one({ other: { ...leaf, count: 0 } })],
    ['with another leaf of 1.5 entries', one({ other: { ...leaf, count: 1.5 } })],
    ['with another leaf of 2^32 entries', one({ other: { ...leaf, count: 2 ** 32 } })],
    ['with another leaf with a short hash', one({ other: { ...leaf, history: short } })],
  ];
  return forms.map(([name, lookup]) => refused(`a lookup ${name}`, whole, { lookup }));
}

function without({ entries, siblings }: Found): unknown {
  return { entries, siblings };
}
