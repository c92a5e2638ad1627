/** What two people compare: the same for both, and another one as soon as anything is another. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  compareSafetyNumbers,
  isEncryptionError,
  parseIdentity,
  safetyNumber,
  type Bytes,
  type SafetyNumber,
  type SafetyNumberSide,
} from 'twilio-chat-encryption/protocol';
import { isSafetyNumber } from '../../src/protocol/safety-number.ts';
import { base32, concat, hashRounds, hex, utf8 } from '../../src/protocol/primitives.ts';
import { codeOf } from '../outcomes.ts';
import { random } from './people.ts';

const side = (identity: string, ...signingKeys: readonly Bytes[]): SafetyNumberSide => ({
  identity: parseIdentity(identity),
  signingKeys,
});

const [PHONE, LAPTOP, IMPOSTOR] = [random(32), random(32), random(32)];
const ALICE = side('alice', random(32));
const BOB = side('bob', PHONE);

// 5200 rounds take their time, also for the shortest counterexample.
const FEW = { numRuns: 5, endOnFailure: true };
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes));
const keys = fc.uniqueArray(key, {
  minLength: 1,
  maxLength: 16,
  comparator: (one, other) => hex.encode(one) === hex.encode(other),
});
const identity = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => {
  try {
    return parseIdentity(text) !== 'alice';
  } catch {
    return false;
  }
});
const sides = fc.record({ identity: identity.map(parseIdentity), signingKeys: keys });

describe('a safety number', () => {
  test('is computed in rounds as Signal’s numeric fingerprints are', async () => {
    // libsignal, rust/protocol/src/fingerprint.rs, fingerprint_test_v1: two bytes of version, the
    // key, what the person is called, and the key again; then the key in each round.
    const publicKey = decoded('0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868');
    const first = concat(new Uint8Array(2), publicKey, utf8('+14152222222'), publicKey);
    const result = await hashRounds(first, publicKey, 5200);
    expect(result).toHaveLength(64);
    expect(hex.encode(result.slice(0, 32))).toBe(
      '1e301a0353dce3dbe7684cb8336e85136cdc0ee96219494ada305d62a7bd61df',
    );
  });

  test('has 60 digits, and a code of 120 characters that a QR code holds as alphanumeric', async () => {
    const { digits, qr, devices } = await safetyNumber(ALICE, side('bob', PHONE, LAPTOP));
    expect(digits).toMatch(/^\d{5}( \d{5}){11}$/);
    expect(isSafetyNumber(digits)).toBe(true);
    expect(qr).toMatch(/^[A-Z2-7]{120}$/);
    expect(devices).toEqual({ own: 1, theirs: 2 });
  });

  test('is the same for both people, whatever the order of their keys', async () => {
    await fc.assert(
      fc.asyncProperty(sides, async (bob) => {
        const [mine, theirs] = [await safetyNumber(ALICE, bob), await safetyNumber(bob, ALICE)];
        expect(theirs.digits).toBe(mine.digits);
        expect(theirs.qr).not.toBe(mine.qr);
        expect(compareSafetyNumbers(mine.qr, theirs.qr)).toBe('match');
        expect(compareSafetyNumbers(theirs.qr, mine.qr)).toBe('match');
        const reversed = { ...bob, signingKeys: bob.signingKeys.toReversed() };
        expect(await safetyNumber(ALICE, reversed)).toEqual(mine);
      }),
      FEW,
    );
  });

  test('is another one when one bit of one key is another', async () => {
    await fc.assert(
      fc.asyncProperty(sides, fc.nat(), fc.nat(255), async (bob, which, bit) => {
        const changed = bob.signingKeys.map((one, at) =>
          at === which % bob.signingKeys.length ? withBit(one, bit) : one,
        );
        fc.pre(new Set(changed.map(hex.encode)).size === changed.length);
        const before = await safetyNumber(ALICE, bob);
        const after = await safetyNumber(ALICE, { ...bob, signingKeys: changed });
        expectUnlike(before, after);
        const shown = await safetyNumber({ ...bob, signingKeys: changed }, ALICE);
        expect(compareSafetyNumbers(before.qr, shown.qr)).toBe('mismatch');
      }),
      FEW,
    );
  });

  test('is another one when the name is another', async () => {
    await fc.assert(
      fc.asyncProperty(keys, identity, identity, async (signingKeys, one, other) => {
        fc.pre(one !== other);
        const [before, after] = [side(one, ...signingKeys), side(other, ...signingKeys)];
        expectUnlike(await safetyNumber(ALICE, before), await safetyNumber(ALICE, after));
        const [mine, shown] = [await safetyNumber(ALICE, before), await safetyNumber(after, ALICE)];
        expect(compareSafetyNumbers(mine.qr, shown.qr)).toBe('otherPeople');
      }),
      FEW,
    );
  });

  test('is another one with a device more, and says that the devices differ', async () => {
    const bob = side('bob', PHONE, IMPOSTOR);
    const [mine, theirs] = [await safetyNumber(ALICE, bob), await safetyNumber(BOB, ALICE)];
    expectUnlike(mine, await safetyNumber(ALICE, BOB));
    expect(mine.digits).not.toBe(theirs.digits);
    expect(compareSafetyNumbers(mine.qr, theirs.qr)).toBe('differentDevices');
    expect(compareSafetyNumbers(theirs.qr, mine.qr)).toBe('differentDevices');
  });

  test('is no match with itself: whoever scans their own screen has compared nothing', async () => {
    const { qr } = await safetyNumber(ALICE, BOB);
    expect(compareSafetyNumbers(qr, qr)).toBe('otherPeople');
  });

  test('leaves the keys as they were given', async () => {
    const given = Object.freeze([IMPOSTOR, PHONE, LAPTOP]);
    await safetyNumber(ALICE, { identity: BOB.identity, signingKeys: given });
    expect(given).toEqual([IMPOSTOR, PHONE, LAPTOP]);
  });

  test('lets the page go on while it is computed', async () => {
    const pauses = vi.spyOn(globalThis, 'setTimeout');
    await safetyNumber(ALICE, BOB);
    expect(pauses.mock.calls.length).toBeGreaterThanOrEqual(14);
    pauses.mockRestore();
  });

  test.each([
    ['without keys', side('bob')],
    ['with 17 keys', side('bob', ...Array.from({ length: 17 }, () => random(32)))],
    ['with a key twice', side('bob', PHONE, LAPTOP, PHONE.slice())],
    ['with a short key', side('bob', PHONE, random(31))],
    ['of somebody with themselves', side('alice', PHONE)],
  ])('is none %s', async (_what, bob) => {
    expect(await codeOf(safetyNumber(ALICE, bob))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(safetyNumber(bob, ALICE))).toBe('INVALID_ARGUMENT');
  });
});

describe('a scanned code', () => {
  let mine: SafetyNumber;
  let theirs: SafetyNumber;

  beforeAll(async () => {
    mine = await safetyNumber(ALICE, BOB);
    theirs = await safetyNumber(BOB, ALICE);
  });

  /** What comes of it, or the code of the refusal. */
  function outcome(scanned: string): string {
    try {
      return compareSafetyNumbers(mine.qr, scanned);
    } catch (error) {
      if (isEncryptionError(error)) return error.code;
      throw error;
    }
  }

  test('with any bit changed is never a match', () => {
    const bytes = base32.decode(theirs.qr) ?? new Uint8Array();
    expect(bytes).toHaveLength(75);
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      expect(outcome(base32.encode(withBit(bytes, bit))), `bit ${bit}`).not.toBe('match');
    }
    expect(outcome(theirs.qr)).toBe('match');
  });

  test('of any text is a verdict or a typed refusal', () => {
    const base32Text = fc.uint8Array().map((bytes) => base32.encode(bytes));
    fc.assert(
      fc.property(fc.oneof(fc.string(), base32Text), (text) => {
        expect(['INVALID_ARGUMENT', 'UNSUPPORTED_VERSION']).toContain(outcome(text));
      }),
    );
  });

  test('that is the digits is no code, and a code is no digits', () => {
    expect(outcome(mine.digits)).toBe('INVALID_ARGUMENT');
    expect(isSafetyNumber(mine.qr)).toBe(false);
    expect(isSafetyNumber(mine.digits.replaceAll(' ', ''))).toBe(false);
    expect(isSafetyNumber(`${mine.digits}\n`)).toBe(false);
  });
});

function expectUnlike(one: SafetyNumber, other: SafetyNumber): void {
  expect(one.digits).not.toBe(other.digits);
  expect(one.qr).not.toBe(other.qr);
}

function withBit(bytes: Bytes, bit: number): Bytes {
  return bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

function decoded(text: string): Bytes {
  return hex.decode(text) ?? new Uint8Array();
}
