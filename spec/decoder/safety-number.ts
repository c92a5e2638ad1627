/** Comparing keys in person: safety-number.md. */
import { createHash } from 'node:crypto';
import type { SafetyNumberSideVector, SafetyNumberVector } from '../vector-files.ts';
import { hex, L, lp, Reader, require, sha256, uint } from './bytes.ts';
import { isIdentity } from './json.ts';

const WRONG = 'INVALID_ARGUMENT';
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

interface Half {
  readonly mark: Buffer;
  readonly devices: number;
  readonly fingerprint: Buffer;
}

/** The safety number of two people, as the first of them sees it. */
export function safetyNumber(
  own: SafetyNumberSideVector,
  theirs: SafetyNumberSideVector,
): SafetyNumberVector {
  const [ownBytes, theirBytes] = [sideOf(own), sideOf(theirs)];
  require(own.identity !== theirs.identity, WRONG);
  const [mine, other] = [fingerprintOf(ownBytes), fingerprintOf(theirBytes)];
  const code = Buffer.concat([uint(1, 1), halfBytes(own, mine), halfBytes(theirs, other)]);
  return {
    digits: [digitsOf(mine), digitsOf(other)].sort().join(' '),
    qr: base32(code),
    fingerprints: {
      own: mine.toString('hex', 0, 32),
      theirs: other.toString('hex', 0, 32),
    },
    devices: { own: own.signingKeys.length, theirs: theirs.signingKeys.length },
  };
}

/** What comes of scanning a code. */
export function compareCodes(own: string, scanned: string): string {
  const [mine, other] = [readCode(own), readCode(scanned)];
  const all = (same: (one: Half, two: Half) => boolean): boolean =>
    same(mine.shower, other.scanner) && same(mine.scanner, other.shower);
  if (!all((one, two) => one.mark.equals(two.mark))) return 'otherPeople';
  if (!all((one, two) => one.devices === two.devices)) return 'differentDevices';
  return all((one, two) => one.fingerprint.equals(two.fingerprint)) ? 'match' : 'mismatch';
}

function sideOf({ identity, signingKeys }: SafetyNumberSideVector): Buffer {
  // Hexadecimal of one case sorts as the bytes do.
  const keys = [...signingKeys].sort();
  require(keys.length >= 1 && keys.length <= 16 && new Set(keys).size === keys.length, WRONG);
  require(keys.every((key) => key.length === 64), WRONG);
  require(isIdentity(identity), 'INVALID_IDENTITY');
  return Buffer.concat([lp(2, Buffer.from(identity)), uint(keys.length, 1), ...keys.map(hex)]);
}

function fingerprintOf(side: Buffer): Buffer {
  const key = sha256(L('safety-number'), side);
  let result = sha512(key);
  for (let round = 2; round <= 5200; round += 1) result = sha512(result, key);
  return result;
}

function sha512(...parts: readonly Buffer[]): Buffer {
  return createHash('sha512').update(Buffer.concat(parts)).digest();
}

function digitsOf(fingerprint: Buffer): string {
  return [0, 5, 10, 15, 20, 25]
    .map((at) => String(fingerprint.readUIntBE(at, 5) % 100_000).padStart(5, '0'))
    .join(' ');
}

function halfBytes({ identity, signingKeys }: SafetyNumberSideVector, fingerprint: Buffer): Buffer {
  const mark = sha256(L('safety-number-identity'), Buffer.from(identity)).subarray(0, 4);
  return Buffer.concat([mark, uint(signingKeys.length, 1), fingerprint.subarray(0, 32)]);
}

function readCode(text: string): { readonly shower: Half; readonly scanner: Half } {
  require(text.length <= 1024, WRONG);
  const bytes = fromBase32(text);
  require(bytes !== null && bytes.length > 0, WRONG);
  const reader = new Reader(bytes, WRONG);
  require(reader.uint(1) === 1, 'UNSUPPORTED_VERSION');
  require(bytes.length === 75, WRONG);
  return { shower: readHalf(reader), scanner: readHalf(reader) };
}

function readHalf(reader: Reader): Half {
  const [mark, devices] = [reader.take(4), reader.uint(1)];
  require(devices >= 1 && devices <= 16, WRONG);
  return { mark, devices, fingerprint: reader.take(32) };
}

/** RFC 4648 §6 without padding. */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => ALPHABET[parseInt(group.padEnd(5, '0'), 2)]).join('');
}

/** The bytes of base32 in its one canonical form; null for anything else. */
function fromBase32(text: string): Buffer | null {
  const bits = Array.from(text, (one) => ALPHABET.indexOf(one).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  const read = Buffer.from(bytes.map((byte) => parseInt(byte, 2)));
  return base32(read) === text ? read : null;
}
