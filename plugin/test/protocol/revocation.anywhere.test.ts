/** Revocations: one form, within its bounds, and signed for nothing else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  base64url,
  createRevocation,
  curves,
  parseCardId,
  parseRevocation,
  saysMore,
  verifyRevocation,
  type Bytes,
  type RevocationContent,
} from 'twilio-chat-encryption/protocol';
import { hex, utf8, utf8Text } from '../../src/protocol/primitives.ts';
import { sign } from '../../src/protocol/signature.ts';
import { random } from './people.ts';

const backEnd = await curves();
const key = await backEnd.importSigningKey(random(32));
const verifyingKey = await backEnd.importVerifyingKey(key.publicKey);
const REFUSED = { code: 'INVALID_ARGUMENT' };

const cardIds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((id) => parseCardId(hex.encode(id)));
const positions = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const said: fc.Arbitrary<RevocationContent> = fc
  .record({
    cardId: cardIds,
    revokedAt: fc.integer({ min: 0, max: 8.64e15 }),
    signer: fc.oneof(fc.constant('app' as const), cardIds),
    why: fc.oneof(
      fc.constant({ reason: 'retired' as const }),
      fc.constant({ reason: 'compromised' as const }),
      fc.record({ reason: fc.constant('compromised' as const), since: positions }),
    ),
  })
  .map(({ why, ...rest }) => ({ ...rest, ...why }));

const RIGHT: RevocationContent = {
  cardId: parseCardId('ab'.repeat(32)),
  reason: 'compromised',
  since: 3,
  revokedAt: 1_700_000_000_000,
  signer: 'app',
};

function exported(content: Uint8Array, signature: Uint8Array): string {
  const json = { content: base64url.encode(content), signature: base64url.encode(signature) };
  return base64url.encode(utf8(JSON.stringify(json)));
}

/** An export whose content says this, signed rightly. */
async function saying(text: string): Promise<string> {
  const content = utf8(text);
  return exported(content, await sign(key, 'card-revocation', content));
}

describe('a revocation', () => {
  test('is read as it was made, and is within the bound', async () => {
    await fc.assert(
      fc.asyncProperty(said, async (content) => {
        const text = await createRevocation(content, key);
        const read = parseRevocation(text);
        expect(read).toMatchObject(content);
        expect('since' in read).toBe('since' in content);
        expect(await verifyRevocation(read, verifyingKey)).toBe(true);
        expect(text.length).toBeLessThanOrEqual(1024);
      }),
      { numRuns: 50 },
    );
  });

  test('has one form: each export that is read is what is made of what was read', async () => {
    await fc.assert(
      fc.asyncProperty(said, async (content) => {
        const { content: bytes, signature } = parseRevocation(await createRevocation(content, key));
        const { cardId, reason, since, revokedAt, signer } = content;
        const members = { v: 1, cardId, reason, since, revokedAt, signer };
        expect(utf8Text(bytes)).toBe(JSON.stringify(members));
        // Ed25519 has no randomness.
        expect(await createRevocation(content, key)).toBe(exported(bytes, signature));
      }),
      { numRuns: 20 },
    );
  });

  test('is refused or not signed when anything in it is another', async () => {
    const text = await createRevocation(RIGHT, key);
    const bytes = base64url.decode(text) ?? new Uint8Array();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, bits) => {
          const mutated = bytes.map((byte, index) => (index === at ? byte ^ bits : byte));
          expect(await isAccepted(base64url.encode(mutated))).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
    for (let length = 0; length < text.length; length += 7) {
      expect(await isAccepted(text.slice(0, length))).toBe(false);
    }
    expect(await isAccepted(text)).toBe(true);
  });

  test('is none when the content is changed and all around it is right', async () => {
    const { content, signature } = parseRevocation(await createRevocation(RIGHT, key));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(content.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, bits) => {
          const mutated = content.map((byte, index) => (index === at ? byte ^ bits : byte));
          expect(await isAccepted(exported(mutated, signature))).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each<[string, Partial<Record<keyof RevocationContent, unknown>>]>([
    ['a retired card from a position on', { reason: 'retired' }],
    ['another reason', { reason: 'lost' }],
    ['a position below 0', { since: -1 }],
    ['a fraction of a position', { since: 0.5 }],
    ['a position of 2^32', { since: 2 ** 32 }],
    ['no position but null', { since: null }],
    ['a time before 1970', { revokedAt: -1 }],
    ['half a millisecond', { revokedAt: 0.5 }],
    ['a time that no Date holds', { revokedAt: 8.64e15 + 1 }],
    ['no time', { revokedAt: undefined }],
    ['a signer that is no card', { signer: 'self' }],
    ['a card id in upper case', { cardId: 'AB'.repeat(32) }],
    ['a card id that is too short', { cardId: 'ab' }],
  ])('is neither made nor read of %s', async (_, changes) => {
    const { cardId, reason, since, revokedAt, signer } = { ...RIGHT, ...changes };
    const text = JSON.stringify({ v: 1, cardId, reason, since, revokedAt, signer });
    const given: RevocationContent = Object.assign({ ...RIGHT }, changes);
    await expect(createRevocation(given, key)).rejects.toMatchObject(REFUSED);
    const wrong = await saying(text);
    expect(() => parseRevocation(wrong)).toThrow(expect.objectContaining(REFUSED));
  });

  test('that is no text, or too long a one, is refused', async () => {
    const others: string[] = ['', 'e30', ' '.repeat(1024), 'A'.repeat(1025)];
    for (const other of others) expect(() => parseRevocation(other)).toThrow('no revocation');
    expect(() => {
      Reflect.apply(parseRevocation, undefined, [7]);
    }).toThrow('no revocation');
    expect(await isAccepted(await saying('null'))).toBe(false);
  });

  test('is signed for nothing else, and nothing else is one', async () => {
    const { content } = parseRevocation(await createRevocation(RIGHT, key));
    const isSigned = async (signature: Bytes): Promise<boolean> =>
      verifyRevocation({ ...RIGHT, content, signature }, verifyingKey);
    expect(await isSigned(await sign(key, 'card-revocation', content))).toBe(true);
    expect(await isSigned(await sign(key, 'card-signature', content))).toBe(false);
    expect(await isSigned(await sign(key, 'message', content))).toBe(false);
    expect(await isSigned(await key.sign(content))).toBe(false);
    const other = await backEnd.importSigningKey(random(32));
    expect(await isSigned(await sign(other, 'card-revocation', content))).toBe(false);
  });
});

describe('a revocation says more than another', () => {
  test('and never the other way round, so that it comes to an end', () => {
    fc.assert(
      fc.property(said, said, said, (one, two, three) => {
        expect(saysMore(one, one)).toBe(false);
        expect(saysMore(one, two) && saysMore(two, one)).toBe(false);
        if (saysMore(one, two) && saysMore(two, three)) expect(saysMore(one, three)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('when it says compromised for the first time, or since an earlier position', () => {
    const { cardId, reason, revokedAt, signer } = RIGHT;
    const always: RevocationContent = { cardId, reason, revokedAt, signer };
    const retired: RevocationContent = { ...always, reason: 'retired' };
    expect(saysMore(RIGHT, retired)).toBe(true);
    expect(saysMore(always, retired)).toBe(true);
    expect(saysMore({ ...RIGHT, since: 2 }, RIGHT)).toBe(true);
    expect(saysMore(always, RIGHT)).toBe(true);
    expect(saysMore(retired, RIGHT)).toBe(false);
    expect(saysMore(retired, retired)).toBe(false);
    expect(saysMore({ ...RIGHT, since: 4 }, RIGHT)).toBe(false);
    expect(saysMore({ ...RIGHT, since: 0 }, always)).toBe(false);
  });
});

async function isAccepted(text: string): Promise<boolean> {
  try {
    return await verifyRevocation(parseRevocation(text), verifyingKey);
  } catch (error) {
    expect(error).toMatchObject(REFUSED);
    return false;
  }
}
