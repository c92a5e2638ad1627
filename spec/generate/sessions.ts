/** Vectors of edits, of key messages and of the followers in their sessions. */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import type { Session } from 'twilio-chat-encryption/protocol';
import type { EnvelopeFile, MessageCase, SessionVector } from '../vector-files.ts';
import { bytesIn, flipped, textOf, uint } from './craft.ts';
import {
  crafted,
  craftedCase,
  edit,
  follow,
  keyMessage,
  message,
  messageCase,
  seal,
  sessionVector,
  TARGET,
  type Claims,
  type Sealed,
} from './messages.ts';
import {
  alice,
  bob,
  carol,
  cast,
  idOf,
  OTHER_CHANNEL,
  person,
  pqSlotsFor,
  slotsFor,
} from './people.ts';
import { bytesOf, source } from './source.ts';

const bob2 = await person('bob/suite 2', { pq: true });
const alice2 = await person('alice/suite 2', { pq: true });

/** The key message whose session the followers are in. */
async function opening(): Promise<Sealed & { readonly session: Session }> {
  const slots = await slotsFor([alice, bob], source('key message/slots'));
  const sealed = await seal('key message', keyMessage(alice), slots);
  if (!sealed.session) throw new Error('A key message opens a session.');
  return { ...sealed, session: sealed.session };
}

function opened(name: string, { text, message: inside }: Sealed, claims: Claims = {}): MessageCase {
  return { ...messageCase(name, 'ok', text, claims), message: inside };
}

/** `key-message.json`. */
export async function keyMessageVectors(): Promise<EnvelopeFile<MessageCase>> {
  const first = await opening();
  const bytes = bytesIn(first.text);
  // The very same message key in another key message: another session.
  const again = await seal(
    'key message',
    keyMessage(alice, 2),
    await slotsFor([alice, bob], source('again')),
  );
  const pqSlots = pqSlotsFor([alice2, bob2], source('key message of suite 2'));
  const suite2 = await seal('key message 2', keyMessage(alice2), pqSlots, alice2.signingKey);
  const key = { header: { type: 3 } } as const;
  const said = { kind: 3, content: '' } as const;
  const filled = uint(1, 4);
  return {
    description: 'Messages that open a session: type 3, kind 3. Expected: the session.',
    page: 'session.md',
    ...cast({ alice, bob, carol, 'alice 2': alice2, 'bob 2': bob2 }),
    cases: [
      opened('a key message', first),
      opened('read by its sender', first, { reader: 'alice' }),
      opened('another one with the same message key', again),
      opened('of suite 2', suite2, { reader: 'bob 2' }),
      messageCase('no slot for Carol', 'NOT_ADDRESSED', first.text, { reader: 'carol' }),
      messageCase(
        'its type changed to carrier',
        'COMMITMENT_MISMATCH',
        textOf(flipped(bytes, 1, 2)),
      ),
      messageCase('shown in another channel', 'WRONG_CHANNEL', first.text, {
        channelSid: OTHER_CHANNEL,
      }),
      messageCase('shown as written by somebody else', 'WRONG_AUTHOR', first.text, {
        author: 'carol',
      }),
      await craftedCase('a key message in the type of a carrier', 'MALFORMED', { parts: said }),
      await craftedCase('a message in the type of a key message', 'MALFORMED', key),
      await craftedCase('an edit in the type of a key message', 'MALFORMED', {
        ...key,
        parts: { kind: 2, sequence: 0n, target: targetBytes() },
      }),
      await craftedCase('with content', 'MALFORMED', { ...key, parts: { kind: 3 } }),
      await craftedCase('with an empty content object', 'MALFORMED', {
        ...key,
        parts: { kind: 3, content: '{}' },
      }),
      await craftedCase('with the sequence 0', 'MALFORMED', {
        ...key,
        parts: { ...said, sequence: 0n },
      }),
      await craftedCase('with a target', 'MALFORMED', {
        ...key,
        parts: { ...said, target: targetBytes() },
      }),
      await craftedCase('with a log head', 'MALFORMED', {
        ...key,
        parts: { ...said, head: new Uint8Array(112).fill(1) },
      }),
      await craftedCase('with bytes behind its end', 'MALFORMED', {
        ...key,
        parts: { ...said, contentLength: 0, content: filled },
      }),
      await craftedCase('signed by another', 'BAD_SIGNATURE', {
        ...key,
        parts: said,
        signer: carol,
      }),
    ],
  };
}

/** `follower.json`. */
export async function followerVectors(): Promise<EnvelopeFile<MessageCase>> {
  const { session } = await opening();
  const own = sessionVector(session);
  const claims = { session: own };
  const first = await follow('follower', session, message(alice));
  const bytes = bytesIn(first.text);
  const elsewhere = { ...message(alice), channelSid: OTHER_CHANNEL };
  const his: SessionVector = {
    ...own,
    senderCardId: bob.card.id,
    sessionId: bytesToHex(bytesOf('his', 16)),
  };
  const rest = (): Uint8Array => concatBytes(session.sessionId, uint(41, 4));
  const header = { type: 2, rest } as const;
  const { messageKey } = session;
  const [one, other] = [
    await follow('follower', session, message(alice, undefined, 2)),
    await follow('follower 2', session, message(alice, undefined, 2)),
  ];
  const suite2Slots = pqSlotsFor([bob2], source('key message for followers'));
  const suite2 = await seal('key message 3', keyMessage(alice2), suite2Slots, alice2.signingKey);
  if (!suite2.session) throw new Error('A key message opens a session.');
  const in2 = await follow('follower 3', suite2.session, message(alice2), alice2.signingKey);
  return {
    description:
      'Messages in a session: type 2. The reader has the session that the case names, whose key message is in key-message.json.',
    page: 'session.md',
    ...cast({ alice, bob, carol, 'alice 2': alice2, 'bob 2': bob2 }),
    cases: [
      opened('a follower', first, claims),
      opened('with the next number', other, claims),
      opened('an edit in a session', await follow('edit', session, edit(alice)), claims),
      opened('in a session of suite 2', in2, {
        reader: 'bob 2',
        session: sessionVector(suite2.session),
      }),
      await craftedCase('made by the specification alone', 'ok', { header, messageKey }, claims),
      messageCase('a reader without the session', 'KEY_MISSING', first.text),
      messageCase('a session with another message key', 'COMMITMENT_MISMATCH', first.text, {
        session: { ...own, messageKey: bytesToHex(bytesOf('another key')) },
      }),
      messageCase(
        'a flipped bit in the session id',
        'COMMITMENT_MISMATCH',
        textOf(flipped(bytes, 20)),
        claims,
      ),
      messageCase(
        'a flipped bit in the locator',
        'COMMITMENT_MISMATCH',
        textOf(flipped(bytes, 39)),
        claims,
      ),
      messageCase(
        'a flipped bit in the nonce',
        'COMMITMENT_MISMATCH',
        textOf(flipped(bytes, 4)),
        claims,
      ),
      messageCase('the suite changed', 'COMMITMENT_MISMATCH', textOf(flipped(bytes, 2, 3)), claims),
      messageCase('a flag', 'MALFORMED', textOf(flipped(bytes, 3)), claims),
      messageCase(
        'a flipped bit in the ciphertext',
        'DECRYPTION_FAILED',
        textOf(flipped(bytes, 72)),
        claims,
      ),
      messageCase('cut in the locator', 'MALFORMED', textOf(bytes.slice(0, 38)), claims),
      messageCase('cut in the commitment', 'MALFORMED', textOf(bytes.slice(0, 71)), claims),
      messageCase(
        'the ciphertext of another follower with the same number',
        'COMMITMENT_MISMATCH',
        textOf(concatBytes(bytesIn(one.text).slice(0, 40), bytesIn(other.text).slice(40))),
        claims,
      ),
      messageCase('a session of another channel', 'MALFORMED', first.text, {
        session: { ...own, channelSid: OTHER_CHANNEL },
      }),
      messageCase('a session of another suite', 'MALFORMED', first.text, {
        session: { ...own, suite: 2 },
      }),
      messageCase('a session of another sender', 'BAD_SIGNATURE', first.text, { session: his }),
      messageCase(
        'written for another channel',
        'WRONG_CHANNEL',
        (await follow('elsewhere', session, elsewhere)).text,
        claims,
      ),
      messageCase('shown in another channel', 'WRONG_CHANNEL', first.text, {
        ...claims,
        channelSid: OTHER_CHANNEL,
      }),
      messageCase('shown as written by somebody else', 'WRONG_AUTHOR', first.text, {
        ...claims,
        author: 'carol',
      }),
      messageCase(
        'by a member who knows the key, in the sender’s name',
        'BAD_SIGNATURE',
        (await follow('forged', session, message(alice), bob.signingKey)).text,
        claims,
      ),
      messageCase(
        'by a member who knows the key, in his own name',
        'BAD_SIGNATURE',
        (await follow('his own', session, message(bob), bob.signingKey)).text,
        { ...claims, author: 'bob', reader: 'alice' },
      ),
      messageCase(
        'a key message in a session',
        'MALFORMED',
        (await follow('key', session, keyMessage(alice))).text,
        claims,
      ),
      await craftedCase(
        'a message with the sequence 0',
        'MALFORMED',
        { header, messageKey, parts: { sequence: 0n } },
        claims,
      ),
      await craftedCase(
        'a message without padding',
        'MALFORMED',
        { header, messageKey, plaintext: (signature, words) => concatBytes(signature, words) },
        claims,
      ),
    ],
  };
}

function targetBytes(changes: Partial<typeof TARGET> = {}): Uint8Array {
  const { cardId, messageId, sequence, revision } = { ...TARGET, ...changes };
  const id = Uint8Array.from(messageId.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  return concatBytes(idOf(cardId), id, uint(sequence, 8), uint(revision, 4));
}

/** `edit.json`. */
export async function editVectors(): Promise<EnvelopeFile<MessageCase>> {
  const first = await seal('edit', edit(alice));
  const byBob = await seal('edit by bob', edit(bob), undefined, bob.signingKey);
  const bad = (name: string, parts: object): Promise<MessageCase> =>
    craftedCase(name, 'MALFORMED', {
      parts: { kind: 2, sequence: 0n, target: targetBytes(), ...parts },
    });
  return {
    description:
      'Messages that replace another: kind 2. Whether the writer may edit the target is for whoever knows it, see the page.',
    page: 'envelope.md',
    ...cast({ alice, bob, carol }),
    cases: [
      opened('an edit', first),
      opened('an edit by somebody else, whom the target refuses', byBob, { author: 'bob' }),
      messageCase('shown in another channel', 'WRONG_CHANNEL', first.text, {
        channelSid: OTHER_CHANNEL,
      }),
      messageCase('shown as written by somebody else', 'WRONG_AUTHOR', first.text, {
        author: 'bob',
      }),
      await bad('with a sequence of its own', { sequence: 1n }),
      await bad('of the sequence 0', { target: targetBytes({ sequence: 0 }) }),
      await bad('of the revision 0', { target: targetBytes({ revision: 0 }) }),
      await bad('without a target', { target: new Uint8Array() }),
      await bad('with a target cut short', { target: targetBytes().slice(0, -1) }),
      await bad('of a sequence over 2^53', {
        target: concatBytes(targetBytes().slice(0, 48), uint(2n ** 53n, 8), uint(1, 4)),
      }),
      await bad('with a log head', { head: new Uint8Array(112).fill(7) }),
      await bad('without content', { content: '' }),
      await bad('with content in another spelling', { content: '{ "body":"Hey"}' }),
      await craftedCase('with the target of a message', 'MALFORMED', {
        parts: { kind: 1, sequence: 0n, target: targetBytes() },
      }),
      messageCase(
        'signed by another',
        'BAD_SIGNATURE',
        textOf(
          await crafted('edit signed by another', {
            parts: {
              kind: 2,
              sequence: 0n,
              target: targetBytes(),
            },
            signer: carol,
          }),
        ),
      ),
    ],
  };
}
