/**
 * The independent decoder: opens every vector that must open, to what it must contain, and refuses
 * every other one with the code that it must have. It needs Node 24 and nothing else:
 *
 *     node spec/decoder.ts [folder]
 *
 * It shares no code with the library and uses no package, so that a mistake would have to be made
 * twice, in the same way. Written to be read, not to be fast or safe with secrets.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { base64url, hex, isPadded, paddedLength, Refused, require } from './decoder/bytes.ts';
import { openCard, type Card } from './decoder/card.ts';
import {
  describeHead,
  extended,
  openEntry,
  openHead,
  openLookup,
  readHistory,
} from './decoder/log.ts';
import { checkConsistency, checkInclusion, checkMap, NOTHING } from './decoder/log-proofs.ts';
import { openContent, openMessage } from './decoder/message.ts';
import { authSecret, openKeyRecord, openStateRecord } from './decoder/records.ts';
import { openBackup, openRing } from './decoder/rings.ts';
import { describeRevocation, endorses, succeeds } from './decoder/revocation.ts';
import { compareCodes, safetyNumber } from './decoder/safety-number.ts';
import { openData, openMedia, openStream } from './decoder/sealed.ts';
import type * as Vectors from './vector-files.ts';

/** How the cases of one file are opened, and what must come out. */
interface Opening {
  readonly open: () => unknown;
  readonly expected: unknown;
}

type File = Vectors.EnvelopeFile<Vectors.VectorCase> &
  Vectors.PartsFile<Vectors.VectorCase> &
  Vectors.LogFile<Vectors.VectorCase>;
/** Which form the cases of a file have is by its name. */
type Open<Case> = (one: Case, file: File) => Opening;

const OPENERS = {
  'padding.json': ({ length, padded, bytes }: Vectors.PaddingCase) => ({
    open: () => {
      if (bytes === undefined) return paddedLength(length);
      require(isPadded(hex(bytes), length), 'MALFORMED');
      return undefined;
    },
    expected: padded,
  }),

  'content.json': ({ text, bytes, value }: Vectors.ContentCase) => ({
    open: () => {
      const content = openContent(text === undefined ? hex(bytes ?? '') : Buffer.from(text));
      require(content !== null, 'MALFORMED');
      return content;
    },
    expected: value,
  }),

  'card.json': (one: Vectors.CardCase) => ({
    open: () => describe(openCard(one.export, one.appKeys?.map(hex))),
    expected: one.card,
  }),

  'carrier.json': message,
  'carrier-suite-2.json': message,
  'key-message.json': message,
  'follower.json': message,
  'edit.json': message,

  'sealed-data.json': (one: Vectors.SealedDataCase, file) => ({
    open: () => {
      const mode = one.mode === 'data' ? 0 : 1;
      const opened = openData(
        mode,
        bytesOf(one.envelope),
        keysOf(file, one.reader),
        one.senders.map(hex),
      );
      const { content, senderKey } = opened;
      return { content: content.toString('hex'), senderKey: senderKey.toString('hex') };
    },
    expected: one.data,
  }),

  'sealed-stream.json': (one: Vectors.SealedStreamCase, file) => ({
    open: () => {
      const stream = joined(one.stream, file);
      return digest(openStream(stream, keysOf(file, one.reader), one.senders.map(hex)));
    },
    expected: one.data,
  }),

  'media.json': (one: Vectors.MediaCase, file) => ({
    open: () => {
      const { key, size, hash } = one;
      return digest(openMedia(joined(one.ciphertext, file), hex(key), size, hex(hash)));
    },
    expected: one.data,
  }),

  'key-record.json': (one: Vectors.KeyRecordCase) => ({
    open: () => openKeyRecord(one.recordName, hex(one.record), one.password).toString('hex'),
    expected: one.secret,
  }),

  'state-record.json': (one: Vectors.StateRecordCase) => ({
    open: () => {
      const [keys, record] = [hex(one.privateKeys), hex(one.record)];
      return openStateRecord(keys, one.recordName, record).toString('hex');
    },
    expected: one.plaintext,
  }),

  'key-ring.json': ({ identity, record, password, ring }: Vectors.KeyRingCase) => ({
    open: () => openRing(identity, hex(record), password),
    expected: ring,
  }),

  'backup.json': ({ identity, backup, password, value }: Vectors.BackupCase) => ({
    open: () => openBackup(identity, backup, password),
    expected: value,
  }),

  'login.json': (one: Vectors.LoginCase) => ({
    open: () => authSecret(one.password, one.identity, one.origin),
    expected: one.authSecret,
  }),

  'safety-number.json': ({ own, theirs, qr, scanned, ...one }: Vectors.SafetyNumberCase) => ({
    open: () => {
      if (own && theirs) return safetyNumber(own, theirs);
      return compareCodes(qr ?? '', scanned ?? '');
    },
    expected: one.safetyNumber ?? one.comparison,
  }),

  'revocation.json': ({ export: text, key, revocation }: Vectors.RevocationCase) => ({
    open: () => describeRevocation(text, key === undefined ? null : hex(key)),
    expected: revocation,
  }),

  'card-links.json': (one: Vectors.CardLinkCase) => ({
    open: () => {
      const [card, earlier] = [openCard(one.card), openCard(one.earlier)];
      const holds = one.link === 'succession' ? succeeds(card, earlier) : endorses(earlier, card);
      require(holds, 'BAD_SIGNATURE');
      return undefined;
    },
    expected: undefined,
  }),

  'log-entry.json': ({ logKey, identity, entry, content, value }: Vectors.LogEntryCase) => ({
    open: () => {
      const read = openEntry({ entry: hex(entry), content }, hex(logKey), identity);
      return { ...read, history: extended(NOTHING, hex(entry)).toString('hex') };
    },
    expected: value,
  }),

  'log-head.json': ({ logKey, head, value }: Vectors.LogHeadCase) => ({
    open: () => describeHead(openHead(hex(logKey), hex(head))),
    expected: value,
  }),

  'log-map.json': ({ root, identityHash, leaf, siblings, other }: Vectors.LogMapCase) => ({
    open: () => {
      const history = leaf && { count: leaf.count, history: hex(leaf.history) };
      checkMap(hex(root), hex(identityHash), history, {
        siblings: siblings.map(hex),
        other: other && {
          identityHash: hex(other.identityHash),
          count: other.count,
          history: hex(other.history),
        },
      });
    },
    expected: undefined,
  }),

  'log-tree.json': ({ inclusion, consistency, proof }: Vectors.LogTreeCase) => ({
    open: () => {
      const hashes = proof.map(hex);
      if (inclusion) {
        const { leaf, index, size, root } = inclusion;
        checkInclusion(hex(leaf), { index, size, root: hex(root) }, hashes);
      }
      if (consistency) {
        const { from, to } = consistency;
        const [older, newer] = [hex(from.root), hex(to.root)];
        checkConsistency({ ...from, root: older }, { ...to, root: newer }, hashes);
      }
    },
    expected: undefined,
  }),

  'log-history.json': (one: Vectors.LogHistoryCase, { logKey, contents }) => ({
    open: () => {
      const entries = one.entries.map(({ entry, content }) => ({
        entry: hex(entry),
        content: contents[content] ?? '',
      }));
      return readHistory(entries, hex(logKey), one.identity, one.appKeys.map(hex));
    },
    expected: one.history,
  }),

  'log-lookup.json': (one: Vectors.LogLookupCase, { logKey }) => ({
    open: () =>
      openLookup(one.lookup, {
        logKey: hex(logKey),
        appKeys: one.appKeys.map(hex),
        identities: one.identities,
        head: bytesOf(one.head),
      }),
    expected: one.histories,
  }),
} satisfies Record<string, Open<never>>;

function message(one: Vectors.MessageCase, file: File): Opening {
  return {
    open: () => {
      const appKeys = [hex(file.appKey)];
      const findCard = (id: string): Card => {
        for (const { card } of Object.values(file.people)) {
          if (openCard(card).id === id) return openCard(card, appKeys);
        }
        throw new Refused('CARD_INVALID');
      };
      const { channelSid, author, session } = one;
      const claims = { channelSid, author, session, findCard };
      return openMessage(one.text, { ...keysOf(file, one.reader), ...claims });
    },
    expected: one.message,
  };
}

function keysOf({ people }: File, name: string) {
  const { encryptionSecret = '', pqSeed } = people[name] ?? {};
  return {
    encryptionSecret: hex(encryptionSecret),
    pqSeed: pqSeed === undefined ? null : hex(pqSeed),
  };
}

function describe(card: Card): Vectors.CardVector {
  const { id, identity, createdAt, device, previousCardId, pqEncryptionKey, fields } = card;
  return {
    id,
    snapshot: card.snapshot.toString(),
    identity,
    signingKey: card.signingKey.toString('hex'),
    encryptionKey: card.encryptionKey.toString('hex'),
    ...(pqEncryptionKey && { pqEncryptionKey: pqEncryptionKey.toString('hex') }),
    createdAt,
    ...(device !== undefined && { device }),
    ...(previousCardId !== undefined && { previousCardId }),
    ...(fields && { fields }),
    signers: card.signatures.map(({ signer }) => signer),
  };
}

function bytesOf(text: string): Buffer {
  const bytes = base64url(text);
  if (!bytes) throw new TypeError('A file of vectors is not as it should be.');
  return bytes;
}

function joined(names: readonly string[], { parts }: File): Buffer {
  return Buffer.concat(names.map((name) => bytesOf(parts[name] ?? '!')));
}

function digest(data: Buffer): Vectors.DataVector {
  return { length: data.length, sha256: createHash('sha256').update(data).digest('hex') };
}

/** What becomes of a case: `ok` if it opens to what it must, or the code of its refusal. */
function outcome({ open, expected }: Opening): string {
  try {
    // Both are made in the order of the specification.
    const same = JSON.stringify(open()) === JSON.stringify(expected);
    return same ? 'ok' : 'opened to something else';
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

function isKnown(name: string): name is keyof typeof OPENERS {
  return name in OPENERS;
}

const folder = process.argv[2] ?? join(import.meta.dirname, 'vectors');
const found = readdirSync(folder).filter((name) => name.endsWith('.json'));
let wrong = 0;
for (const name of Object.keys(OPENERS).filter((known) => !found.includes(known))) {
  console.error(`${name} is not there.`);
  wrong += 1;
}
for (const name of found.sort()) {
  if (!isKnown(name)) {
    console.error(`${name} is not known.`);
    wrong += 1;
    continue;
  }
  const file = JSON.parse(readFileSync(join(folder, name), 'utf8')) as File;
  const open = OPENERS[name] as Open<Vectors.VectorCase>;
  const count = { opened: 0, refused: 0 };
  for (const one of file.cases) {
    const result = outcome(open(one, file));
    count[one.result === 'ok' ? 'opened' : 'refused'] += 1;
    if (result === one.result) continue;
    wrong += 1;
    console.error(`${name}: ${one.name}: ${result} instead of ${one.result}`);
  }
  console.log(`${name}: ${count.opened} to open, ${count.refused} to refuse`);
}
console.log(wrong === 0 ? 'All as they must be.' : `${wrong} not as they must be.`);
process.exitCode = wrong === 0 ? 0 : 1;
