/** Vectors of the log's entries and heads. */
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  decodeEntry,
  decodeHead,
  EMPTY_HISTORY,
  EMPTY_TREE_ROOT,
  encodeHead,
  extendHistory,
  signHead,
  type Bytes,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import type { LogEntryCase, LogHeadCase, VectorFile } from '../vector-files.ts';
import { flipped, L, oddSignature, uint } from './craft.ts';
import { device, entryOf, LOG_KEY, LOGGED, OTHER_LOG_KEY, revocation } from './logged.ts';
import { bytesOf } from './source.ts';

const phone = await device('alice/phone');
const retired = await revocation(phone, phone);
const logKey = bytesToHex(LOG_KEY.publicKey);

function goodEntry(
  name: string,
  entry: Bytes,
  content = phone.exported,
  identity = 'alice',
): LogEntryCase {
  const value = decodeEntry(entry);
  if (!value) throw new Error(`Not an entry: ${name}`);
  return {
    name,
    result: 'ok',
    logKey,
    identity,
    entry: bytesToHex(entry),
    content,
    value: {
      ...value,
      identityHash: bytesToHex(value.identityHash),
      detail: bytesToHex(value.detail),
      history: bytesToHex(extendHistory(EMPTY_HISTORY, entry)),
    },
  };
}

/** `log-entry.json`. */
export function logEntryVectors(): VectorFile<LogEntryCase> {
  const { id } = phone.card;
  const entry = entryOf('approve', id, phone.exported);
  const bad = (name: string, changes: Partial<LogEntryCase>): LogEntryCase => ({
    name,
    result: 'LOG_INVALID',
    logKey,
    identity: 'alice',
    entry: bytesToHex(entry),
    content: phone.exported,
    ...changes,
  });
  const withTime = (time: bigint): string =>
    bytesToHex(concatBytes(entry.slice(0, 1), uint(time, 8), entry.slice(9)));
  const withOperation = (operation: number): string =>
    bytesToHex(concatBytes(Uint8Array.of(operation), entry.slice(1)));
  return {
    description:
      'Entries with what they are about: whether they belong together, and to this identity in the log of this key. What the content says is judged in log-history.json.',
    page: 'log.md',
    cases: [
      goodEntry('an approved card', entry),
      goodEntry('a revoked card', entryOf('revoke', id, retired), retired),
      goodEntry('at the first time', entryOf('approve', id, phone.exported, { time: 0 })),
      goodEntry('at the last time', entryOf('approve', id, phone.exported, { time: 8.64e15 })),
      goodEntry(
        'of an identity with other letters',
        entryOf('approve', id, phone.exported, { identity: 'Ålice 🎈' }),
        phone.exported,
        'Ålice 🎈',
      ),
      goodEntry('about nothing', entryOf('approve', id, ''), ''),
      goodEntry('about some text', entryOf('revoke', id, 'né 🎈'), 'né 🎈'),
      bad('without bytes', { entry: '' }),
      bad('of 104 bytes', { entry: bytesToHex(entry.slice(0, -1)) }),
      bad('of 106 bytes', { entry: `${bytesToHex(entry)}00` }),
      bad('of operation 0', { entry: withOperation(0) }),
      bad('of operation 3', { entry: withOperation(3) }),
      bad('at a time that no Date holds', { entry: withTime(8_640_000_000_000_001n) }),
      bad('at a time that numbers round', { entry: withTime(2n ** 53n + 1n) }),
      bad('at the greatest time of 64 bits', { entry: withTime(2n ** 64n - 1n) }),
      bad('of another identity', { identity: 'bob' }),
      bad('of an identity in capitals', { identity: 'Alice' }),
      bad('of another log', { logKey: bytesToHex(OTHER_LOG_KEY.publicKey) }),
      bad('about something else', { content: retired }),
      bad('about something longer', { content: `${phone.exported} ` }),
      bad('whose identity was changed', { entry: bytesToHex(flipped(entry, 9)) }),
      bad('whose detail was changed', { entry: bytesToHex(flipped(entry, -1)) }),
    ],
  };
}

async function goodHead(
  name: string,
  parts: { readonly size: number; readonly root: Bytes; readonly signedAt: number },
): Promise<LogHeadCase> {
  const head = await signHead(LOG_KEY, parts);
  const { size, signedAt, root } = decodeHead(encodeHead(head)) ?? head;
  const value = { size, root: bytesToHex(root), signedAt };
  return { name, result: 'ok', logKey, head: bytesToHex(encodeHead(head)), value };
}

/** `log-head.json`. */
export async function logHeadVectors(): Promise<VectorFile<LogHeadCase>> {
  const root = bytesOf('log/root');
  const parts = { size: 3, root, signedAt: LOGGED };
  const head = encodeHead(await signHead(LOG_KEY, parts));
  const bad = (name: string, bytes: Uint8Array): LogHeadCase => ({
    name,
    result: 'LOG_INVALID',
    logKey,
    head: bytesToHex(bytes),
  });
  const said = (size: bigint, time: bigint): Uint8Array =>
    concatBytes(uint(size, 8), root, uint(time, 8));
  const signed = async (
    said: Uint8Array,
    label: Uint8Array = L('log-head'),
    key: SigningKey = LOG_KEY,
  ): Promise<Uint8Array> =>
    concatBytes(said, await key.sign(new Uint8Array(concatBytes(label, said))));
  const right = said(3n, BigInt(LOGGED));
  const toSign = concatBytes(L('log-head'), right);
  const odd = (defect: Parameters<typeof oddSignature>[2]): Uint8Array =>
    concatBytes(right, oddSignature(bytesOf('log'), toSign, defect));
  return {
    description: 'Heads: whether their form is right, and the key of the log signed them.',
    page: 'log.md',
    cases: [
      await goodHead('of three entries', parts),
      await goodHead('of an empty log', { size: 0, root: EMPTY_TREE_ROOT, signedAt: 0 }),
      await goodHead('of the longest log', { ...parts, size: Number.MAX_SAFE_INTEGER }),
      await goodHead('at the last time', { ...parts, signedAt: 8.64e15 }),
      bad('without bytes', new Uint8Array()),
      bad('of 111 bytes', head.slice(0, -1)),
      bad('of 113 bytes', concatBytes(head, Uint8Array.of(0))),
      bad('of zeros', new Uint8Array(112)),
      bad('of 2^53 entries', await signed(said(2n ** 53n, BigInt(LOGGED)))),
      bad('of 2^64 − 1 entries', await signed(said(2n ** 64n - 1n, BigInt(LOGGED)))),
      bad('at a time that no Date holds', await signed(said(3n, 8_640_000_000_000_001n))),
      bad('whose size was changed', flipped(head, 7)),
      bad('whose root was changed', flipped(head, 8)),
      bad('whose time was changed', flipped(head, 47)),
      bad('whose signature was changed', flipped(head, -33)),
      bad('signed by the key of another log', await signed(right, L('log-head'), OTHER_LOG_KEY)),
      bad('signed as a message', await signed(right, L('message'))),
      bad('signed without a label', await signed(right, utf8ToBytes(''))),
      bad('with S + order', odd('S + order')),
      bad('with torsion in R', odd('torsion in R')),
      bad('with the identity as R', odd('R is the identity')),
    ],
  };
}
