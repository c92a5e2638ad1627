/**
 * Safety numbers: what two people compare, so that they know that nobody stands between them. In the
 * manner of Signal's numeric fingerprints (libsignal, rust/protocol/src/fingerprint.rs): 5200 rounds
 * of SHA-512 over what a person is known by, of which 30 bytes give 30 digits.
 */
import { EncryptionError } from '../errors.ts';
import { byteReader, lengthPrefixed, uint } from './bytes.ts';
import { parseIdentity, type Identity } from './identifiers.ts';
import { base32, concat, equal, hash, hashRounds, utf8, type Bytes } from './primitives.ts';

/** One of two people, by what a safety number covers of them. */
export interface SafetyNumberSide {
  readonly identity: Identity;
  /** The signing keys of their live cards: 1 to 16 of 32 bytes each, all different, in any order. */
  readonly signingKeys: readonly Bytes[];
}

/** What two people compare. */
export interface SafetyNumber {
  /**
   * 60 digits: 12 groups of 5 with a space between them, 71 characters. The same for both people.
   */
  readonly digits: string;
  /**
   * The text for a QR code: 120 characters of base32, so all of QR's alphanumeric mode. Each of the
   * two shows another one, and scans the other's.
   */
  readonly qr: string;
  /** How many devices the number covers: 1 to 16 each. */
  readonly devices: { readonly own: number; readonly theirs: number };
}

/**
 * What a scanned code says.
 * - `match` the same people, and the same keys of both: nobody stands between them
 * - `differentDevices` the same people, and one of the two shows more devices than the other: one of
 *   them does not know of a device yet, or somebody slipped one in
 * - `mismatch` the same people and numbers of devices, and other keys: somebody stands between them
 * - `otherPeople` no code that this person shows to this one: of another pair, or one's own
 */
export type SafetyNumberComparison = 'match' | 'differentDevices' | 'mismatch' | 'otherPeople';

const ROUNDS = 5200;
const MAX_KEYS = 16;
const KEY_LENGTH = 32;
// Signal shows as many bytes of its 64 in a code: 128 bits against two sets of keys with one value.
const FINGERPRINT_LENGTH = 32;
const MARK_LENGTH = 4;
const GROUPS = 6;
const GROUP_BYTES = 5;
const QR_VERSION = 1;
// u8 | 2 × (mark[4] | u8 | fingerprint[32]): 75 bytes, which are 120 characters without bits over.
const QR_CHARACTERS = 120;
// A later version may be longer, and is to be told from what is no code at all.
const MAX_CHARACTERS = 1024;

interface Half {
  /** Says who it is of; nothing is proven by it. */
  readonly mark: Bytes;
  readonly devices: number;
  readonly fingerprint: Bytes;
}

interface ScannedCode {
  readonly shower: Half;
  readonly scanner: Half;
}

/**
 * The safety number of two people, as one of them sees it. It takes 20 to 60 ms of computing on a
 * desktop, however many keys there are, in pieces between which the page goes on: some 90 ms in all.
 * @throws EncryptionError `INVALID_ARGUMENT` when the keys are none, over 16, not of 32 bytes or
 * twice the same, or both sides are of one person; `INVALID_IDENTITY`
 */
export async function safetyNumber(
  own: SafetyNumberSide,
  theirs: SafetyNumberSide,
): Promise<SafetyNumber> {
  const [ownBytes, theirBytes] = [sideBytes(own), sideBytes(theirs)];
  if (own.identity === theirs.identity) {
    throw invalid('A safety number is of two people, and both sides are the same one.');
  }
  const halves = [await halfOf(own, ownBytes), await halfOf(theirs, theirBytes)] as const;
  return {
    digits: halves
      .map(({ digits }) => digits)
      .sort()
      .join(' '),
    qr: base32.encode(concat(uint(QR_VERSION, 1), ...halves.flatMap(halfBytes))),
    devices: { own: own.signingKeys.length, theirs: theirs.signingKeys.length },
  };
}

/**
 * Compares a code that was scanned from the other's screen with one's own.
 * @param own the `qr` of one's own safety number
 * @param scanned what the other's code says
 * @throws EncryptionError `INVALID_ARGUMENT` when one of them is not such a code,
 * `UNSUPPORTED_VERSION` when it is one of a version that this release does not know
 */
export function compareSafetyNumbers(own: string, scanned: string): SafetyNumberComparison {
  const [mine, other] = [parseCode(own), parseCode(scanned)];
  // Crosswise: who shows a code stands first in it.
  const pairs = [
    [mine.shower, other.scanner],
    [mine.scanner, other.shower],
  ] as const;
  if (pairs.some(([one, same]) => !equal(one.mark, same.mark))) return 'otherPeople';
  if (pairs.some(([one, same]) => one.devices !== same.devices)) return 'differentDevices';
  const match = pairs.every(([one, same]) => equal(one.fingerprint, same.fingerprint));
  return match ? 'match' : 'mismatch';
}

/** Whether a text has the form of {@link SafetyNumber.digits}. */
export function isSafetyNumber(text: string): boolean {
  return /^\d{5}(?: \d{5}){11}$/.test(text);
}

/** What a half is computed over. Every length is there, so that no two sides have the same bytes. */
function sideBytes({ identity, signingKeys }: SafetyNumberSide): Bytes {
  const keys = signingKeys.toSorted(compareBytes);
  if (keys.length < 1 || keys.length > MAX_KEYS) {
    throw invalid('A side of a safety number has 1 to 16 signing keys.');
  }
  if (keys.some(({ length }) => length !== KEY_LENGTH)) {
    throw invalid('A signing key has 32 bytes.');
  }
  if (keys.some((key, at) => at > 0 && equal(key, keys[at - 1] ?? key))) {
    throw invalid('A side of a safety number has a signing key twice.');
  }
  return concat(lengthPrefixed(2, utf8(parseIdentity(identity))), uint(keys.length, 1), ...keys);
}

function compareBytes(one: Bytes, other: Bytes): number {
  const at = one.findIndex((byte, place) => byte !== other[place]);
  return at < 0 ? one.length - other.length : (one[at] ?? 0) - (other[at] ?? -1);
}

async function halfOf(
  { identity, signingKeys }: SafetyNumberSide,
  side: Bytes,
): Promise<Half & { readonly digits: string }> {
  // Signal hashes the key itself in each round. This stands for all keys and fits into one block, so
  // that a round costs who guesses as much as Signal's, and who compares no more with many devices.
  const key = hash('safety-number', side);
  const fingerprint = await hashRounds(key, key, ROUNDS);
  return {
    mark: hash('safety-number-identity', utf8(identity)).slice(0, MARK_LENGTH),
    devices: signingKeys.length,
    fingerprint: fingerprint.slice(0, FINGERPRINT_LENGTH),
    digits: digitsOf(fingerprint),
  };
}

/** Each five bytes modulo 100 000: 16.6 of their 40 bits, so no digit is likelier to speak of. */
function digitsOf(fingerprint: Bytes): string {
  const reader = byteReader(fingerprint);
  const groups = Array.from({ length: GROUPS }, () =>
    reader.take(GROUP_BYTES).reduce((sum, byte) => sum * 256 + byte, 0),
  );
  return groups.map((number) => String(number % 100_000).padStart(5, '0')).join(' ');
}

function halfBytes({ mark, devices, fingerprint }: Half): readonly Bytes[] {
  return [mark, uint(devices, 1), fingerprint];
}

function parseCode(text: string): ScannedCode {
  const bytes = text.length > MAX_CHARACTERS ? null : base32.decode(text);
  if (!bytes || bytes.length === 0) throw invalid('This is no code of a safety number.');
  const reader = byteReader(bytes);
  if (reader.uint(1) !== QR_VERSION) {
    throw new EncryptionError(
      'UNSUPPORTED_VERSION',
      'The code of this safety number is of a version that this release does not know.',
    );
  }
  if (text.length !== QR_CHARACTERS)
    throw invalid('The code of a safety number has 120 characters.');
  return { shower: takeHalf(), scanner: takeHalf() };

  function takeHalf(): Half {
    const mark = reader.take(MARK_LENGTH);
    const devices = reader.uint(1);
    if (devices < 1 || devices > MAX_KEYS) throw invalid('The code says 1 to 16 devices of each.');
    return { mark, devices, fingerprint: reader.take(FINGERPRINT_LENGTH) };
  }
}

function invalid(message: string): EncryptionError {
  return new EncryptionError('INVALID_ARGUMENT', message);
}
