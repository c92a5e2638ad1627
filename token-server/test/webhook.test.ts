import { randomBytes } from 'node:crypto';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/index.ts';
import { environment, start, type Harness, type Reply } from './support.ts';

const AUTH_TOKEN = randomBytes(16).toString('hex');
const URL = 'http://localhost:3000/v1/webhooks/twilio';
const CHANNEL = 'CH' + '0'.repeat(32);

function startWithWebhook(changes: Record<string, string> = {}): Promise<Harness> {
  return start({ TWILIO_AUTH_TOKEN: AUTH_TOKEN, ...changes });
}

/** An event as Programmable Chat tells it, and as Conversations does. */
function chat(EventType: string, more: Record<string, string>): Record<string, string> {
  return { EventType, ChannelSid: CHANNEL, From: 'alice', ClientIdentity: 'alice', ...more };
}

function conversations(EventType: string, more: Record<string, string>): Record<string, string> {
  return { EventType, ConversationSid: CHANNEL, Author: 'alice', Source: 'SDK', ...more };
}

interface Sending {
  readonly url?: string;
  readonly authToken?: string;
  readonly headers?: Record<string, string>;
}

function send(
  { request }: Harness,
  event: Record<string, string>,
  { url = URL, authToken = AUTH_TOKEN, headers = {} }: Sending = {},
): Promise<Reply> {
  return request('POST', '/v1/webhooks/twilio', {
    raw: new URLSearchParams(event).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-twilio-signature': getExpectedTwilioSignature(authToken, url, event),
      ...headers,
    },
  });
}

async function outcome(server: Harness, event: Record<string, string>): Promise<unknown> {
  const { status, json, text } = await send(server, event);
  if (status !== 200) return [status, json['code']];
  return text === '' ? 'passes' : text;
}

const NOT_ENCRYPTED = [403, 'NOT_ENCRYPTED'];

/** Envelopes of messages: what is in them, nobody but the members knows. */
const SLOT = Buffer.alloc(36);
const CARRIER = envelope(1, Buffer.concat([Buffer.alloc(32), Buffer.from([0, 1]), SLOT]));
const KEY = envelope(3, Buffer.concat([Buffer.alloc(32), Buffer.from([0, 1]), SLOT]));
const SEALED = envelope(4, Buffer.concat([Buffer.alloc(32), Buffer.from([0, 1]), SLOT]));
const FOLLOWER = envelope(2, Buffer.alloc(20));

function envelope(type: number, rest: Buffer): string {
  const header = Buffer.concat([Buffer.from([1, type, 1, 0]), randomBytes(16), rest]);
  return `e2e1.${Buffer.concat([header, Buffer.alloc(32), Buffer.alloc(512)]).toString('base64url')}`;
}

const SENDING = [
  ['Programmable Chat', (more: Record<string, string>) => chat('onMessageSend', more)],
  ['Conversations', (more: Record<string, string>) => conversations('onMessageAdd', more)],
] as const;

describe.each(SENDING)('a message that is about to be stored, as %s tells it,', (_, event) => {
  test('passes when it is encrypted', async () => {
    const server = await startWithWebhook();
    for (const text of [CARRIER, FOLLOWER, KEY]) {
      expect(await outcome(server, event({ Body: text }))).toBe('passes');
      expect(await outcome(server, event({ Body: text, Attributes: '{"shown":1}' }))).toBe(
        'passes',
      );
    }
  });

  test('passes with files, wherever its envelope is', async () => {
    const server = await startWithWebhook();
    const file = { Media: '[{"Sid":"ME0","Filename":"a"}]', MediaSid: 'ME0' };
    expect(await outcome(server, event({ ...file, Body: CARRIER }))).toBe('passes');
    for (const e2e of [CARRIER, FOLLOWER, 'key']) {
      const Attributes = JSON.stringify({ e2e, shown: true });
      expect(await outcome(server, event({ ...file, Attributes }))).toBe('passes');
      expect(await outcome(server, event({ ...file, Attributes, Body: '' }))).toBe('passes');
    }
  });

  test.each([
    ['text', { Body: 'hello' }],
    ['no text', { Body: '' }],
    ['nothing at all', {}],
    ['text beside an envelope', { Body: 'hello', Attributes: JSON.stringify({ e2e: CARRIER }) }],
    ['a hint as its text', { Body: 'key' }],
    ['text that only begins as an envelope', { Body: 'e2e1.hello' }],
    ['text behind an envelope', { Body: `${CARRIER} hello` }],
    ['an envelope of another version', { Body: 'e2e2.AAAA' }],
    ['sealed data, which is no message', { Body: SEALED }],
    ['a file and no envelope', { MediaSid: 'ME0', Attributes: '{}' }],
    ['a file and a text for an envelope', { MediaSid: 'ME0', Attributes: '{"e2e":"hello"}' }],
    ['a file and a list for an envelope', { MediaSid: 'ME0', Attributes: '{"e2e":["key"]}' }],
    ['a file and attributes that are none', { MediaSid: 'ME0', Attributes: '{"e2e":' }],
    ['a file and attributes that are null', { MediaSid: 'ME0', Attributes: 'null' }],
  ])('is refused with %s', async (_what, more) => {
    const server = await startWithWebhook();
    expect(await outcome(server, event(more))).toEqual(NOT_ENCRYPTED);
    expect(server.log()).not.toContain('hello');
  });
});

describe.each([
  ['Programmable Chat', chat],
  ['Conversations', conversations],
] as const)('an edit, as %s tells it,', (_, product) => {
  const edit = (more: Record<string, string>) => product('onMessageUpdate', more);

  test('passes when it is to something encrypted, or of what may be in the clear', async () => {
    const server = await startWithWebhook();
    for (const more of [
      { Body: CARRIER },
      { Body: CARRIER, Attributes: '{}' },
      { Attributes: JSON.stringify({ e2e: CARRIER }) },
      { Attributes: '{"shown":1}' },
    ]) {
      expect(await outcome(server, edit(more))).toBe('passes');
    }
  });

  test('is refused when it is to plaintext', async () => {
    const server = await startWithWebhook();
    for (const more of [{ Body: 'hello' }, { Attributes: '{"e2e":"hello"}' }]) {
      expect(await outcome(server, edit(more))).toEqual(NOT_ENCRYPTED);
    }
  });
});

test('everything else passes at once', async () => {
  const server = await startWithWebhook();
  for (const type of [
    ...['onMessageSent', 'onMessageAdded', 'onMessageUpdated', 'onMessageRemove'],
    ...['onChannelAdd', 'onConversationAdd', 'onMemberAdd', 'onUserUpdate', 'onWhatever', ''],
  ]) {
    expect(await outcome(server, chat(type, { Body: 'hello' }))).toBe('passes');
  }
  expect(await outcome(server, { Body: 'hello' })).toBe('passes');
});

test('messages of other services of the account are none of its business', async () => {
  const server = await startWithWebhook();
  const own = server.env['TWILIO_CHAT_SERVICE_SID'] ?? '';
  for (const [name, event] of [
    ['InstanceSid', chat('onMessageSend', { Body: 'hello' })],
    ['ChatServiceSid', conversations('onMessageAdd', { Body: 'hello' })],
  ] as const) {
    expect(await outcome(server, { ...event, [name]: own })).toEqual(NOT_ENCRYPTED);
    expect(await outcome(server, { ...event, [name]: 'IS' + '0'.repeat(32) })).toBe('passes');
  }
});

describe("Twilio's signature", () => {
  const EVENT = chat('onMessageSend', { Body: CARRIER });

  async function refusal(reply: Promise<Reply>): Promise<unknown> {
    const { status, json, text } = await reply;
    expect(text).not.toContain(AUTH_TOKEN);
    return [status, json['code']];
  }
  const INVALID = [403, 'WEBHOOK_SIGNATURE_INVALID'];

  test('is needed, with the token of the account, for this URL and exactly this event', async () => {
    const server = await startWithWebhook();
    const signature = getExpectedTwilioSignature(AUTH_TOKEN, URL, EVENT);
    for (const wrong of [
      { authToken: randomBytes(16).toString('hex') },
      { url: 'http://localhost:3000/v1/webhooks/twilio/' },
      { url: 'https://localhost:3000/v1/webhooks/twilio' },
      { url: 'http://evil.example/v1/webhooks/twilio' },
      { headers: { 'x-twilio-signature': '' } },
      { headers: { 'x-twilio-signature': 'AAAA' } },
      { headers: { 'x-twilio-signature': `${signature} ` + signature } },
      { headers: { 'content-type': 'application/json' } },
      { headers: { 'content-type': 'text/plain' } },
    ]) {
      expect(await refusal(send(server, EVENT, wrong))).toEqual(INVALID);
    }
    const headers = { 'x-twilio-signature': signature };
    for (const other of [
      { ...EVENT, Body: 'hello' },
      { ...EVENT, EventType: 'onChannelAdd' },
      { ...EVENT, More: '' },
    ]) {
      expect(await refusal(send(server, other, { headers }))).toEqual(INVALID);
    }
    expect((await send(server, EVENT, { headers })).status).toBe(200);
    const bare = server.request('POST', '/v1/webhooks/twilio', { body: EVENT });
    expect(await refusal(bare)).toEqual(INVALID);
    expect(server.log()).not.toContain(AUTH_TOKEN);
  });

  test('is over the public URL, whatever host a request names', async () => {
    const url = 'https://chat.example/chat/v1/webhooks/twilio?from=twilio';
    const server = await startWithWebhook({ WEBHOOK_URL: url, TRUST_PROXY: '1' });
    expect((await send(server, EVENT, { url })).status).toBe(200);
    const headers = { 'x-forwarded-host': 'localhost:3000', 'x-forwarded-proto': 'http' };
    expect(await refusal(send(server, EVENT, { headers }))).toEqual(INVALID);
  });

  test('is over all of an event, in whatever script and order', async () => {
    const server = await startWithWebhook();
    const odd = { z: 'é🦊\n', a: "&=%+ '", constructor: 'x', 'a b[]': '1' };
    expect((await send(server, { ...EVENT, ...odd })).status).toBe(200);
  });

  test('does not help who sends a parameter twice', async () => {
    const server = await startWithWebhook();
    const twice = { EventType: 'onMessageSend', Body: [CARRIER, 'hello'] };
    const reply = await server.request('POST', '/v1/webhooks/twilio', {
      raw: `EventType=onMessageSend&Body=${CARRIER}&Body=hello`,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': getExpectedTwilioSignature(AUTH_TOKEN, URL, twice),
      },
    });
    expect([reply.status, reply.json['code']]).toEqual([400, 'INVALID_REQUEST']);
  });
});

test('what is too long is refused, and the longest message is not', async () => {
  const server = await startWithWebhook();
  const long = chat('onMessageSent', { Body: 'é'.repeat(16 * 1024), Attributes: '"'.repeat(4096) });
  expect((await send(server, long)).status).toBe(200);
  const { status, json } = await send(server, { ...long, More: 'x'.repeat(256 * 1024) });
  expect([status, json['code']]).toEqual([413, 'BODY_TOO_LARGE']);
});

test('Twilio may ask as often as it has to', async () => {
  const few = { points: 2, seconds: 3600 };
  const rateLimits = { routeByAddress: few, routeByIdentity: few };
  const server = await start({ TWILIO_AUTH_TOKEN: AUTH_TOKEN }, { rateLimits });
  for (let i = 0; i < 10; i++) {
    expect(await outcome(server, chat('onMessageSend', { Body: CARRIER }))).toBe('passes');
  }
});

test('without TWILIO_AUTH_TOKEN there is no such route', async () => {
  const server = await start();
  const { status, json } = await send(server, chat('onMessageSend', { Body: CARRIER }));
  expect([status, json['code']]).toEqual([404, 'NOT_FOUND']);
});

describe('the configuration', () => {
  const withToken = { ...environment(), TWILIO_AUTH_TOKEN: AUTH_TOKEN };

  test('takes the URL from ORIGIN unless it is told', () => {
    expect(readConfig(environment()).webhook).toBeNull();
    expect(readConfig(withToken).webhook).toEqual({ authToken: AUTH_TOKEN, url: URL });
    const url = 'https://chat.example/hook?a=1';
    expect(readConfig({ ...withToken, WEBHOOK_URL: url }).webhook?.url).toBe(url);
  });

  test.each([
    [{ WEBHOOK_URL: URL }, 'TWILIO_AUTH_TOKEN'],
    [{ TWILIO_AUTH_TOKEN: 'short' }, 'TWILIO_AUTH_TOKEN'],
    [{ TWILIO_AUTH_TOKEN: AUTH_TOKEN, WEBHOOK_URL: 'chat.example' }, 'WEBHOOK_URL'],
    [{ TWILIO_AUTH_TOKEN: AUTH_TOKEN, WEBHOOK_URL: 'https://a:b@chat.example/' }, 'WEBHOOK_URL'],
    [{ TWILIO_AUTH_TOKEN: AUTH_TOKEN, WEBHOOK_URL: 'https://chat.example/#a' }, 'WEBHOOK_URL'],
  ])('%j is refused', (changes, name) => {
    try {
      readConfig({ ...environment(), ...changes });
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.problems.map((problem) => problem.name)).toEqual([name]);
    }
  });
});
