/**
 * Defects that were measured or read in systems of this kind (Virgil's SDK and the demos around it):
 * each is a test that it is not one here. Those that need a server or a chat are tested there.
 */
import { describe, expect, test } from 'vitest';
import {
  createCard,
  curves,
  encodeContent,
  exportCard,
  importCard,
  messageIdOf,
  parseEnvelope,
  parseIdentity,
  sealMessage,
  x25519Slots,
  createEphemeral,
  type Bytes,
} from 'twilio-chat-encryption/protocol';
import { encodeMessage } from '../../src/protocol/message.ts';
import { base64url, concat, hex } from '../../src/protocol/primitives.ts';
import { verify } from '../../src/protocol/signature.ts';
import { codeOf } from '../outcomes.ts';
import { openRaw } from './malicious-member.ts';
import { CHANNEL, open, person, random, seal, HEAD } from './people.ts';

const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')];

function bytesOf(text: string): Bytes {
  return base64url.decode(text.slice(5)) ?? new Uint8Array();
}

describe('the signature', () => {
  test('is nowhere in the clear, so that a guess cannot be confirmed by who relays', async () => {
    const message = {
      kind: 'message',
      channelSid: CHANNEL,
      senderCardId: alice.card.id,
      messageId: messageIdOf(random(16)),
      sequence: 1,
      sentAt: 0,
      head: HEAD,
      content: encodeContent({ body: 'yes' }),
    } as const;
    const slots = x25519Slots(await createEphemeral(random), [bob.card.encryptionKey]);
    const { bytes } = await sealMessage(message, alice.signingKey, slots, random);
    const { headerHash } = parseEnvelope(`e2e1.${base64url.encode(bytes)}`);
    // Whoever guesses every word of it still finds no signature that confirms the guess.
    const guess = encodeMessage(message);
    const { signingKey } = alice.card;
    for (let at = 0; at + 64 <= bytes.length; at += 1) {
      const window = bytes.slice(at, at + 64);
      expect(await verify(signingKey, 'message', window, headerHash, guess)).toBe(false);
    }
    // The one that is inside does verify: the guess above was right.
    const raw = new Uint8Array(
      openRaw(`e2e1.${base64url.encode(bytes)}`, bob.encryptionSecret).slice(0, 64),
    );
    expect(await verify(signingKey, 'message', raw, headerHash, guess)).toBe(true);
  });

  test('is another one for each recipient and each time: the same text is not linkable', async () => {
    const signatures = await Promise.all(
      [bob, carol, bob].map(async (reader) =>
        hex.encode(
          openRaw(await seal(alice, [reader], 'yes'), reader.encryptionSecret).slice(0, 64),
        ),
      ),
    );
    expect(new Set(signatures).size).toBe(3);
  });

  test('of one member put into the message of another is not theirs', async () => {
    const recipients = [bob, carol];
    const text = await seal(alice, recipients, 'I agree');
    // Bob claims that Carol wrote it: neither her card nor his key make it so.
    expect(await codeOf(open(text, bob, carol))).toBe('BAD_SIGNATURE');
  });
});

test('the recipient list is authenticated: a slot taken out or put in is seen by all others', async () => {
  const text = await seal(alice, [bob, carol], 'Hey');
  const bytes = bytesOf(text);
  const [head, first, rest] = [bytes.slice(0, 54), bytes.slice(54, 90), bytes.slice(126)];
  head[53] = 1;
  const without = `e2e1.${base64url.encode(concat(head, first, rest))}`;
  expect(await codeOf(open(without, bob, alice))).toBe('COMMITMENT_MISMATCH');
  head[53] = 3;
  const more = concat(head, bytes.slice(54, 126), random(36), rest);
  expect(await codeOf(open(`e2e1.${base64url.encode(more)}`, bob, alice))).toBe(
    'COMMITMENT_MISMATCH',
  );
});

test('signing and encryption have keys of their own', () => {
  expect(alice.card.encryptionKey).not.toEqual(alice.card.signingKey.publicKey);
});

test('665 recipients fit into one message body of 32 KiB', async () => {
  const strangers = Array.from({ length: 665 }, () => {
    const key = random(32);
    key[31] = (key[31] ?? 0) & 0x3f;
    return key;
  });
  const ephemeral = await createEphemeral(random);
  for (const key of strangers) ephemeral.slotKeys.set(hex.encode(key), random(32));
  const message = {
    kind: 'message',
    channelSid: CHANNEL,
    senderCardId: alice.card.id,
    messageId: messageIdOf(random(16)),
    sequence: 1,
    sentAt: 0,
    head: HEAD,
    content: encodeContent({ body: 'x'.repeat(200) }),
  } as const;
  const slots = x25519Slots(ephemeral, strangers);
  const { text } = await sealMessage(message, alice.signingKey, slots, random);
  expect(text.length).toBeLessThanOrEqual(32 * 1024);
});

describe('importing a card', () => {
  test('checks it, whatever version it claims to be', async () => {
    const snapshot = new TextDecoder().decode(alice.card.snapshot);
    for (const version of ['"v":0', '"v":2', '"v":"1"', '"version":"5.0"']) {
      const claimed = new TextEncoder().encode(snapshot.replace('"v":1', version));
      const exported = exportCard({ ...alice.card, snapshot: claimed });
      expect(await codeOf(importCard(exported))).toBe('CARD_INVALID');
    }
  });

  test('gives no other identity a predecessor’s name: it hides nobody', async () => {
    const backEnd = await curves();
    const mallory = await createCard(
      { identity: parseIdentity('mallory'), createdAt: 0, previousCardId: alice.card.id },
      await backEnd.importSigningKey(random(32)),
      await backEnd.importAgreementKey(random(32)),
    );
    // It imports, for it is Mallory's own claim; it says nothing about Alice.
    const imported = await importCard(exportCard(mallory));
    expect([imported.identity, imported.previousCardId]).toEqual(['mallory', alice.card.id]);
    expect(imported.id).not.toBe(alice.card.id);
  });
});
