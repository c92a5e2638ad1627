/** Key messages and the followers under them, against a member who knows the session's key. */
import { describe, expect, test } from 'vitest';
import {
  encodeContent,
  messageIdOf,
  parseEnvelope,
  sealFollower,
  sealMessage,
  type Session,
  type SignedMessage,
} from 'twilio-chat-encryption/protocol';
import { deriveSession } from '../../src/protocol/session.ts';
import { base64url } from '../../src/protocol/primitives.ts';
import { codeOf } from '../outcomes.ts';
import {
  CHANNEL,
  open,
  OTHER_CHANNEL,
  person,
  random,
  slotsFor,
  type Person,
  HEAD,
} from './people.ts';

const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')];

function signed(sender: Person, body: string | null, channelSid = CHANNEL): SignedMessage {
  return {
    kind: body === null ? 'key' : 'message',
    channelSid,
    senderCardId: sender.card.id,
    messageId: messageIdOf(random(16)),
    sequence: 1,
    sentAt: 1_700_000_000_002,
    head: HEAD,
    content: body === null ? new Uint8Array() : encodeContent({ body }),
  };
}

async function keyMessage(
  sender: Person,
  source = random,
): Promise<{ readonly text: string; readonly session: Session }> {
  const slots = await slotsFor([alice, bob]);
  const { text, session } = await sealMessage(
    signed(sender, null),
    sender.signingKey,
    slots,
    source,
  );
  if (!session) throw new Error('A key message opens a session.');
  return { text, session };
}

/** A follower of this session, as `sender` makes it. */
async function follower(session: Session, sender: Person, message: SignedMessage): Promise<string> {
  return (await sealFollower(message, sender.signingKey, session, 7, random)).text;
}

describe('a key message', () => {
  test('opens the same session for its sender and its readers', async () => {
    const { text, session } = await keyMessage(alice);
    for (const reader of [alice, bob]) {
      const opened = await open(text, reader, alice);
      expect(opened?.session).toEqual(session);
      expect(opened?.content).toEqual({});
    }
    expect(await open(text, carol, alice)).toBeNull();
  });

  test('with the message key of another does not share its session id', async () => {
    // A source that repeats itself: both key messages bring one message key.
    const repeated = (length: number) => new Uint8Array(length).fill(length);
    const [one, two] = [await keyMessage(alice, repeated), await keyMessage(bob, repeated)];
    expect(one.session.messageKey).toEqual(two.session.messageKey);
    expect(one.session.sessionId).not.toEqual(two.session.sessionId);
    const again = await keyMessage(alice, repeated);
    expect(again.session.sessionId).not.toEqual(one.session.sessionId);
  });

  test('is hidden for its signed kind only: a message cannot be made to look like one', async () => {
    const slots = await slotsFor([bob]);
    const { bytes } = await sealMessage(signed(alice, 'Hey'), alice.signingKey, slots, random);
    bytes[1] = 3;
    const text = `e2e1.${base64url.encode(bytes)}`;
    expect(parseEnvelope(text).type).toBe('key');
    expect(await codeOf(open(text, bob, alice))).toBe('COMMITMENT_MISMATCH');
  });
});

describe('a follower', () => {
  test('is read by whoever has the session, and by nobody else', async () => {
    const { session } = await keyMessage(alice);
    const text = await follower(session, alice, signed(alice, 'Hey'));
    expect((await open(text, bob, alice, session))?.content).toEqual({ body: 'Hey' });
    expect(await open(text, bob, alice)).toBeNull();
    const other = { ...session, messageKey: random(32) };
    expect(await codeOf(open(text, bob, alice, other))).toBe('COMMITMENT_MISMATCH');
  });

  test('has under 900 characters up to 230 bytes of content, and names its key message', async () => {
    const { session } = await keyMessage(alice);
    const body = 'x'.repeat(230 - '{"body":""}'.length);
    const text = await follower(session, alice, signed(alice, body));
    expect(text.length).toBeLessThan(900);
    const envelope = parseEnvelope(text);
    expect(envelope.type === 'follower' && envelope.session).toEqual({
      sessionId: session.sessionId,
      keyMessageIndex: 7,
    });
  });

  test('of the same text twice shares nothing behind the session id', async () => {
    const { session } = await keyMessage(alice);
    const [one, two] = await Promise.all(
      [1, 2].map(async () => {
        const text = await follower(session, alice, signed(alice, 'yes'));
        return base64url.decode(text.slice(5)) ?? new Uint8Array();
      }),
    );
    const behind = 4 + 16 + 16 + 4;
    const same = one?.slice(behind).filter((byte, at) => byte === two?.[behind + at]).length ?? 0;
    expect(same).toBeLessThan(20);
  });
});

describe('a member who knows the session’s key cannot', () => {
  test('write a follower as its opener: her card, his signature', async () => {
    const { session } = await keyMessage(alice);
    const text = await follower(session, bob, signed(alice, 'I quit'));
    expect(await codeOf(open(text, carol, alice, session))).toBe('BAD_SIGNATURE');
  });

  test('put his own messages into her session', async () => {
    const { session } = await keyMessage(alice);
    const text = await follower(session, bob, signed(bob, 'Alice is away'));
    expect(await codeOf(open(text, carol, bob, session))).toBe('BAD_SIGNATURE');
  });

  test('publish her follower again behind a key message of his own', async () => {
    const { session } = await keyMessage(alice);
    const text = await follower(session, alice, signed(alice, 'only for us'));
    // His key message brings the same key; but what it opens is his session, of another id.
    const his = deriveSession(CHANNEL, bob.card.id, 1, session.messageKey, random(32));
    expect(await codeOf(open(text, carol, alice, his))).toBe('BAD_SIGNATURE');
    expect(his.sessionId).not.toEqual(session.sessionId);
  });

  test('show her follower in another channel', async () => {
    const { session } = await keyMessage(alice);
    const elsewhere = await follower(session, alice, signed(alice, 'Hey', OTHER_CHANNEL));
    expect(await codeOf(open(elsewhere, bob, alice, session))).toBe('WRONG_CHANNEL');
    const here = await follower(session, alice, signed(alice, 'Hey'));
    const other = { ...session, channelSid: OTHER_CHANNEL };
    expect(await codeOf(open(here, bob, alice, other))).toBe('MALFORMED');
  });

  test('point her follower to another key message: the signature covers the reference', async () => {
    const { session } = await keyMessage(alice);
    const text = await follower(session, alice, signed(alice, 'Hey'));
    const bytes = base64url.decode(text.slice(5)) ?? new Uint8Array();
    for (const at of [20, 39]) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const moved = `e2e1.${base64url.encode(changed)}`;
      expect(await codeOf(open(moved, bob, alice, session))).toBe('COMMITMENT_MISMATCH');
    }
  });
});

describe('an edit', () => {
  const target = {
    cardId: alice.card.id,
    messageId: messageIdOf(new Uint8Array(16).fill(7)),
    sequence: 3,
    revision: 2,
  };

  async function edit(changes: Partial<typeof target> = {}): Promise<string> {
    const { channelSid, senderCardId, messageId, sentAt, head, content } = signed(alice, 'edited');
    const message: SignedMessage = {
      ...{ channelSid, senderCardId, messageId, sentAt, head, content },
      kind: 'edit',
      target: { ...target, ...changes },
    };
    return (await sealMessage(message, alice.signingKey, await slotsFor([bob]), random)).text;
  }

  test('names what it replaces, and its revision', async () => {
    const opened = await open(await edit(), bob, alice);
    expect(opened?.message).toMatchObject({ kind: 'edit', target });
    expect(opened?.content).toEqual({ body: 'edited' });
  });

  test.each([{ sequence: 0 }, { revision: 0 }])('with %o is malformed', async (changes) => {
    expect(await codeOf(open(await edit(changes), bob, alice))).toBe('MALFORMED');
  });

  test('may be a follower too', async () => {
    const { session } = await keyMessage(alice);
    const { channelSid, senderCardId, messageId, sentAt, head, content } = signed(alice, 'edited');
    const message: SignedMessage = {
      channelSid,
      senderCardId,
      messageId,
      sentAt,
      head,
      content,
      kind: 'edit',
      target,
    };
    const text = await follower(session, alice, message);
    expect((await open(text, bob, alice, session))?.message).toMatchObject({
      kind: 'edit',
      target,
    });
  });
});
