/** Vectors of safety numbers. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { base32nopad, base64urlnopad } from '@scure/base';
import {
  compareSafetyNumbers,
  parseIdentity,
  safetyNumber,
  type Bytes,
  type SafetyNumberSide,
} from 'twilio-chat-encryption/protocol';
import type { SafetyNumberCase, SafetyNumberSideVector, VectorFile } from '../vector-files.ts';
import { alice, bob, carol, person } from './people.ts';
import { bytesOf } from './source.ts';

const HALF_BYTES = 37;
const FINGERPRINT_AT = 6;

const bobsLaptop = await person('bob/laptop');
const bobsTablet = await person('bob/tablet');

const side = (identity: string, ...signingKeys: readonly Bytes[]): SafetyNumberSide => ({
  identity: parseIdentity(identity),
  signingKeys,
});

const keys = (count: number): readonly Bytes[] =>
  Array.from({ length: count }, (_, at) => bytesOf(`safety number/key ${at}`));

const ALICE = side('alice', alice.signingKey.publicKey);
const BOB = side('bob', bob.signingKey.publicKey);
const BOB_WITH_TWO = side('bob', bob.signingKey.publicKey, bobsLaptop.signingKey.publicKey);
const CAROL = side('carol', carol.signingKey.publicKey);

function vectorOf({ identity, signingKeys }: SafetyNumberSide): SafetyNumberSideVector {
  return { identity, signingKeys: signingKeys.map((key) => bytesToHex(key)) };
}

async function good(
  name: string,
  own: SafetyNumberSide,
  theirs: SafetyNumberSide,
): Promise<SafetyNumberCase> {
  const { digits, qr, devices } = await safetyNumber(own, theirs);
  const bytes = base32nopad.decode(qr);
  const fingerprint = (at: number): string => bytesToHex(bytes.slice(at, at + 32));
  const fingerprints = {
    own: fingerprint(FINGERPRINT_AT),
    theirs: fingerprint(FINGERPRINT_AT + HALF_BYTES),
  };
  const vector = { digits, qr, fingerprints, devices };
  return { name, result: 'ok', own: vectorOf(own), theirs: vectorOf(theirs), safetyNumber: vector };
}

async function goodNumbers(): Promise<readonly SafetyNumberCase[]> {
  const reversed = side('bob', ...BOB_WITH_TWO.signingKeys.toReversed());
  const [zero, one] = [new Uint8Array(32), new Uint8Array(32)];
  one[31] = 1;
  return [
    await good('of two people with a device each', ALICE, BOB),
    await good('of the same, as the other sees it: the same digits, another code', BOB, ALICE),
    await good('of somebody with two devices', ALICE, BOB_WITH_TWO),
    await good('of the same with the keys in another order: the same', ALICE, reversed),
    await good('of somebody with another key', ALICE, side('bob', bobsTablet.signingKey.publicKey)),
    await good('of the same keys under another name', ALICE, side('Bob', ...BOB.signingKeys)),
    await good(
      'of 16 devices each, with the same keys',
      side('alice', ...keys(16)),
      side('bob', ...keys(16)),
    ),
    await good('of keys that differ in their last byte', side('alice', one, zero), BOB),
    await good(
      'of names with characters of four bytes, at their greatest length',
      side('🎈'.repeat(128), ...ALICE.signingKeys),
      side('ก'.repeat(256), ...BOB.signingKeys),
    ),
    await good('of the name __proto__', side('__proto__', ...ALICE.signingKeys), BOB),
  ];
}

function badNumbers(): readonly SafetyNumberCase[] {
  const [key = new Uint8Array()] = ALICE.signingKeys;
  const bad = (
    name: string,
    own: SafetyNumberSideVector,
    result = 'INVALID_ARGUMENT',
  ): SafetyNumberCase => ({ name, result, own, theirs: vectorOf(BOB) });
  const withKeys = (signingKeys: readonly Bytes[]): SafetyNumberSideVector =>
    vectorOf({ ...ALICE, signingKeys });
  const named = (identity: string): SafetyNumberSideVector => ({ ...vectorOf(ALICE), identity });
  return [
    bad('without a key', withKeys([])),
    bad('with 17 keys', withKeys(keys(17))),
    bad('with a key twice', withKeys([key, ...keys(1), key])),
    bad('with a key of 31 bytes', withKeys([key.slice(1)])),
    bad('with a key of 33 bytes', withKeys([new Uint8Array([...key, 0])])),
    bad('of somebody with themselves', named('bob')),
    bad('of nobody', named(''), 'INVALID_IDENTITY'),
    bad('of a name that is not in form NFC', named('e\u0301'), 'INVALID_IDENTITY'),
    bad('of a name of 257 characters', named('x'.repeat(257)), 'INVALID_IDENTITY'),
  ];
}

async function codeOf(own: SafetyNumberSide, theirs: SafetyNumberSide): Promise<string> {
  return (await safetyNumber(own, theirs)).qr;
}

async function goodComparisons(): Promise<readonly SafetyNumberCase[]> {
  const qr = await codeOf(ALICE, BOB);
  const compared = (name: string, own: string, scanned: string): SafetyNumberCase => ({
    name,
    result: 'ok',
    qr: own,
    scanned,
    comparison: compareSafetyNumbers(own, scanned),
  });
  const impostor = side('bob', bobsTablet.signingKey.publicKey);
  const impostorOfAlice = side('alice', bobsTablet.signingKey.publicKey);
  return [
    compared('the code of the other', qr, await codeOf(BOB, ALICE)),
    compared('the other way round', await codeOf(BOB, ALICE), qr),
    compared(
      'the code of somebody with two devices',
      await codeOf(ALICE, BOB_WITH_TWO),
      await codeOf(BOB_WITH_TWO, ALICE),
    ),
    compared('of a device that is not known here', qr, await codeOf(BOB_WITH_TWO, ALICE)),
    compared(
      'of a device that is known here only',
      await codeOf(ALICE, BOB_WITH_TWO),
      await codeOf(BOB, ALICE),
    ),
    compared(
      'of a device of one’s own that is not known there',
      await codeOf(BOB_WITH_TWO, ALICE),
      await codeOf(ALICE, BOB),
    ),
    compared('with another key of theirs', qr, await codeOf(impostor, ALICE)),
    compared('with another key of one’s own', qr, await codeOf(BOB, impostorOfAlice)),
    compared('with other keys of both', qr, await codeOf(impostor, impostorOfAlice)),
    compared('what a third person shows', qr, await codeOf(CAROL, ALICE)),
    compared('what the other shows a third person', qr, await codeOf(BOB, CAROL)),
    compared('one’s own code', qr, qr),
  ];
}

async function badComparisons(): Promise<readonly SafetyNumberCase[]> {
  const qr = await codeOf(ALICE, BOB);
  const right = await codeOf(BOB, ALICE);
  const bytes = base32nopad.decode(right);
  const changed = (at: number, value: number): string =>
    base32nopad.encode(bytes.map((byte, place) => (place === at ? value : byte)));
  const bad = (name: string, scanned: string, result = 'INVALID_ARGUMENT'): SafetyNumberCase => ({
    name: `a code ${name}`,
    result,
    qr,
    scanned,
  });
  return [
    bad('that is empty', ''),
    bad('that is something else', 'HTTPS://CHAT.EXAMPLE/'),
    bad('that is something else of base32', 'AEBAGBAF'),
    bad('in lower case', right.toLowerCase()),
    bad('in base64url', base64urlnopad.encode(bytes)),
    bad('with a space behind it', `${right} `),
    bad('with padding', `${right}========`),
    bad('cut short by a byte', base32nopad.encode(bytes.slice(0, -1))),
    bad('with a byte more', base32nopad.encode(new Uint8Array([...bytes, 0]))),
    bad('with a digit that base32 does not have', `${right.slice(0, -1)}1`),
    bad('that says 0 devices of who shows it', changed(5, 0)),
    bad('that says 17 devices of who shows it', changed(5, 17)),
    bad('that says 0 devices of who scans it', changed(5 + HALF_BYTES, 0)),
    bad('of 1025 characters', 'A'.repeat(1025)),
    bad('of version 0', changed(0, 0), 'UNSUPPORTED_VERSION'),
    bad('of version 2', changed(0, 2), 'UNSUPPORTED_VERSION'),
    bad('of version 2 that is longer', `${changed(0, 2)}AAAAAAAA`, 'UNSUPPORTED_VERSION'),
  ];
}

/** `safety-number.json`. */
export async function safetyNumberVectors(): Promise<VectorFile<SafetyNumberCase>> {
  return {
    description:
      'With own and theirs: two people, and the safety number as the first of them sees it. With scanned: what comes of comparing it with one’s own code.',
    page: 'safety-number.md',
    cases: [
      ...(await goodNumbers()),
      ...badNumbers(),
      ...(await goodComparisons()),
      ...(await badComparisons()),
    ],
  };
}
