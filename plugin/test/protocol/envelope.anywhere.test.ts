import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  base64url,
  openMessage,
  parseChannelSid,
  parseEnvelope,
  type Bytes,
} from 'twilio-chat-encryption/protocol';
import { open, OTHER_CHANNEL, person, seal } from './people.ts';

const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')];

function bytesOf(text: string): Bytes {
  return base64url.decode(text.slice('e2e1.'.length)) ?? new Uint8Array();
}

function textOf(bytes: Bytes): string {
  return `e2e1.${base64url.encode(bytes)}`;
}

function changed(text: string, offset: number, mask = 1): string {
  const bytes = bytesOf(text);
  const at = offset < 0 ? bytes.length + offset : offset;
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  return textOf(bytes);
}

const code = (expected: string): object => expect.objectContaining({ code: expected }) as object;

// version, type, suite, flags | nonce 16 | E 32 | count 2 | slots
const SLOTS = 4 + 16 + 32 + 2;

describe('an envelope', () => {
  test('is read by every recipient, and says who sent what', async () => {
    const text = await seal(alice, [alice, bob], 'Hey Bob');
    for (const reader of [alice, bob]) {
      const opened = await open(text, reader, alice);
      expect(opened?.content).toEqual({ body: 'Hey Bob' });
      expect(opened?.sender.id).toBe(alice.card.id);
    }
  });

  test('is null, not an error, for somebody without a slot', async () => {
    expect(await open(await seal(alice, [alice, bob], 'Hey'), carol, alice)).toBeNull();
  });

  test('hides content, sender card and length class', async () => {
    const text = await seal(alice, [bob], 'Hey Bob');
    const other = await seal(alice, [bob], 'Hey Bob, and a little more than that');
    expect(text.length).toBe(other.length);
    const visible = Array.from(bytesOf(text), (byte) => String.fromCharCode(byte)).join('');
    expect(visible).not.toContain('Hey');
    expect(text).not.toContain(alice.card.id);
  });

  test('of the same text twice shares nothing but its first bytes', async () => {
    const [first, second] = [
      bytesOf(await seal(alice, [bob], 'yes')),
      bytesOf(await seal(alice, [bob], 'yes')),
    ];
    const same = first.slice(4).filter((byte, index) => byte === second[4 + index]).length;
    expect(same / first.length).toBeLessThan(0.05);
  });

  test.each([
    ['version', 0, 'UNSUPPORTED_VERSION'],
    ['type', 1, 'UNSUPPORTED_VERSION'],
    ['suite', 2, 'UNSUPPORTED_VERSION'],
    ['flags', 3, 'MALFORMED'],
    ['ephemeral key', 20, 'COMMITMENT_MISMATCH'],
    ['wrapped key', SLOTS + 4, 'COMMITMENT_MISMATCH'],
    ['commitment', SLOTS + 36, 'COMMITMENT_MISMATCH'],
    ['ciphertext', SLOTS + 36 + 32, 'DECRYPTION_FAILED'],
    ['tag', -1, 'DECRYPTION_FAILED'],
  ])('with a flipped bit in its %s is rejected', async (_part, offset, expected) => {
    const text = await seal(alice, [bob], 'Hey Bob');
    await expect(open(changed(text, offset), bob, alice)).rejects.toEqual(code(expected));
  });

  test('with another slot changed is rejected by those whose slot was not', async () => {
    const text = await seal(alice, [bob, carol], 'Hey');
    const forCarol = changed(text, SLOTS + 36 + 10);
    await expect(open(forCarol, bob, alice)).rejects.toEqual(code('COMMITMENT_MISMATCH'));
  });

  test('never opens after any change of any byte', async () => {
    const text = await seal(alice, [bob], 'Hey Bob');
    const length = bytesOf(text).length;
    await fc.assert(
      fc.asyncProperty(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const outcome = await open(changed(text, at, mask), bob, alice).catch(
          (error: unknown) => error,
        );
        expect(outcome === null || outcome instanceof Error).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('cut short or lengthened is rejected', async () => {
    const bytes = bytesOf(await seal(alice, [bob], 'Hey Bob'));
    for (const length of [0, 3, 19, SLOTS, SLOTS + 36, SLOTS + 70, bytes.length - 1]) {
      await expect(open(textOf(bytes.slice(0, length)), bob, alice)).rejects.toThrow();
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    await expect(open(textOf(longer), bob, alice)).rejects.toEqual(code('DECRYPTION_FAILED'));
  });

  test.each([
    ['Hello Bob', 'PLAINTEXT'],
    ['', 'PLAINTEXT'],
    ['E2E1.AAAA', 'PLAINTEXT'],
    ['e2e2.AAAA', 'UNSUPPORTED_VERSION'],
    ['e2e1.', 'MALFORMED'],
    ['e2e1.AQEBAA', 'MALFORMED'],
    ['e2e1.AQEBAB', 'MALFORMED'],
    ['e2e1.AQEBAA==', 'MALFORMED'],
    ['e2e1.not base64!', 'MALFORMED'],
  ])('cannot be the text %j', async (text, expected) => {
    await expect(open(text, bob, alice)).rejects.toEqual(code(expected));
  });

  test('of over 256 KiB is refused before it is parsed', async () => {
    await expect(open(`e2e1.${'A'.repeat(300_000)}`, bob, alice)).rejects.toEqual(
      code('MALFORMED'),
    );
  });

  test('with an ephemeral key of low order is malformed for everybody', async () => {
    const bytes = bytesOf(await seal(alice, [bob], 'Hey'));
    bytes.fill(0, 20, 52);
    await expect(open(textOf(bytes), bob, alice)).rejects.toEqual(code('MALFORMED'));
    bytes.fill(0xff, 20, 52);
    await expect(open(textOf(bytes), bob, alice)).rejects.toEqual(code('MALFORMED'));
  });
});

describe('a member cannot', () => {
  test('write in the name of another: her card, his key', async () => {
    const text = await seal(alice, [bob], 'I quit', { signingKey: carol.signingKey });
    await expect(open(text, bob, alice)).rejects.toEqual(code('BAD_SIGNATURE'));
  });

  test('be passed off as the author by Twilio', async () => {
    const text = await seal(alice, [bob], 'Hey');
    const reader = {
      channelSid: OTHER_CHANNEL,
      author: 'carol',
      opener: { key: bob.encryptionKey, slotKeys: new Map<string, Bytes>() },
      findCard: () => Promise.resolve(alice.card),
    };
    const envelope = parseEnvelope(text);
    await expect(openMessage(envelope, reader)).rejects.toEqual(code('WRONG_CHANNEL'));
    const here = { ...reader, channelSid: parseChannelSid('CH00000000000000000000000000000001') };
    await expect(openMessage(envelope, here)).rejects.toEqual(code('WRONG_AUTHOR'));
  });
});
