/** The checker must be able to fail: each broken observation is noticed. */
import { messageIdOf, parseCardId, parseIdentity } from 'twilio-chat-encryption/protocol';
import type { MessageEncryption } from 'twilio-chat-encryption';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  blankMemory,
  checkGaps,
  checkHonest,
  checkReading,
  checkShown,
  type Delivered,
  type Memory,
  type Shown,
} from './checker.ts';
import { createModel, type Model, type Sent } from './model.ts';

type Verified = Extract<MessageEncryption, { status: 'verified' }>;

const CARD = parseCardId('a'.repeat(64));
const OTHER_CARD = parseCardId('b'.repeat(64));
const CHANNEL = 'CH1';

let model: Model;
let bob: Memory;
/** What alice sent to bob: three messages, the first of them edited. */
let shown: Shown[];
let sent: Sent[];

beforeEach(() => {
  model = createModel();
  bob = blankMemory('bob');
  sent = [];
  shown = [0, 1, 2].map((index) => {
    const what = model.fresh();
    const head = { author: 'alice', cardId: CARD, channelSid: CHANNEL };
    const one = model.saying(head, what, new Set(['alice', 'bob']));
    const place = { sid: `IM${index}`, index };
    one.home = { ...place, sequence: model.count(CARD, CHANNEL) };
    post(one, 0);
    sent.push(one);
    const encryption = verified(index);
    return { channelSid: CHANNEL, ...place, author: 'alice', ...what, encryption };
  });
});

function verified(message: number, parts: Partial<Verified> = {}): Verified {
  return {
    status: 'verified',
    sender: { identity: parseIdentity('alice'), cardId: CARD },
    trust: 'new',
    sentAt: new Date(0),
    revision: 0,
    messageId: messageIdOf(new Uint8Array(16).fill(message)),
    anomalies: [],
    ...parts,
  };
}

/** The envelope of a version, which is a follower: it starts with version 1, type 2, suite 1. */
function textOf(one: Sent, version: number): string {
  const bytes = new Uint8Array(200);
  bytes.set([1, 2, 1, 0, sent.indexOf(one) + 1, version]);
  bytes[4] = (one.home?.index ?? 0) + 1;
  return `e2e1.${Buffer.from(bytes).toString('base64url')}`;
}

function post(one: Sent, version: number): void {
  const text = textOf(one, version);
  const posted = one.versions[version];
  if (posted) posted.text = text;
  model.posted(text, { kind: 'message', sent: one, version });
}

function at(index: number): Shown {
  const one = shown[index];
  if (!one) throw new Error('There is no such message.');
  return one;
}

function of(index: number): Sent {
  const one = sent[index];
  if (!one) throw new Error('There is no such message.');
  return one;
}

function deliveredAt(index: number, parts: Partial<Delivered> = {}): Delivered {
  const { sid, author } = at(index);
  return { sid, index, author, body: textOf(of(index), 0), ...parts };
}

function look(...all: readonly Shown[]): string[] {
  return all.flatMap((one) => checkShown(model, bob, one));
}

/** Alice edits her first message: what bob is shown of it then. */
function edited(): Shown {
  const body = 'sesame, edited';
  const audience = new Set(['alice', 'bob']);
  model.editing(of(0), { body }, audience);
  post(of(0), 1);
  return { ...at(0), body, encryption: verified(0, { revision: 1 }) };
}

test('the checker finds nothing wrong with what is as it was sent', () => {
  expect(look(...shown, edited())).toEqual([]);
  const delivered = [0, 1, 2].map((index) => deliveredAt(index));
  const reading = { channelSid: CHANNEL, shown, settled: shown, delivered };
  expect(checkReading(model, bob, reading)).toEqual([]);
  expect(checkGaps(model, bob, reading)).toEqual([]);
});

test('nor with an edit that comes to a copy, but with the copy that was left behind', () => {
  const moved = { ...edited(), index: 7 };
  expect(look(at(0), moved)).toEqual([]);
  expect(look(at(0))).toContainEqual(expect.stringContaining('elsewhere before'));
});

describe('the checker notices', () => {
  const as = (parts: Partial<Verified>) => (): Shown[] => [
    { ...at(0), encryption: verified(0, parts) },
  ];
  const outcome = (
    status: 'rejected',
    code: 'PLAINTEXT' | 'CARD_REVOKED',
    body: string,
  ): Shown => ({
    ...at(0),
    body,
    attributes: {},
    encryption: { status, code },
  });
  const cases: readonly [string, () => Shown[], string][] = [
    ['words that nobody sent', () => [{ ...at(0), body: 'pay me' }], 'what nobody sent'],
    [
      'attributes of another message',
      () => [{ ...at(0), attributes: at(1).attributes }],
      'what nobody sent',
    ],
    [
      'another sender',
      as({ sender: { identity: parseIdentity('carol'), cardId: CARD } }),
      'the wrong author',
    ],
    [
      'another card',
      as({ sender: { identity: parseIdentity('alice'), cardId: OTHER_CARD } }),
      'the wrong card',
    ],
    ['another channel', () => [{ ...at(0), channelSid: 'CH2' }], 'another channel'],
    ['another place than before', () => [at(0), { ...at(0), index: 7 }], 'elsewhere before'],
    [
      'another message in a place',
      () => [at(0), { ...at(1), sid: at(0).sid, index: 0 }],
      'another message than before',
    ],
    [
      'another message id than before',
      () => [at(0), { ...at(0), encryption: verified(5) }],
      'another message id',
    ],
    ['an original that calls itself an edit', as({ revision: 1 }), 'revision 1'],
    ['an older version that is not marked', () => [edited(), at(0)], 'an older version'],
    [
      "Twilio's words in a placeholder",
      () => [outcome('rejected', 'PLAINTEXT', 'forged')],
      "Twilio's words",
    ],
    [
      'a placeholder of another kind',
      () => [outcome('rejected', 'PLAINTEXT', 'hello')],
      'the placeholder',
    ],
    [
      'a code that this attack cannot have',
      () => [outcome('rejected', 'CARD_REVOKED', '[rejected: CARD_REVOKED]')],
      'the code CARD_REVOKED',
    ],
  ];

  test.each(cases)('%s', (_, observed, problem) => {
    expect(look(...observed())).toContainEqual(expect.stringContaining(problem));
  });

  test('what was not sent to this reader', () => {
    bob = blankMemory('dave');
    expect(look(at(0))).toContainEqual(expect.stringContaining('not sent to this reader'));
  });

  test.each<[string, () => { shown: Shown[]; delivered: Delivered[] }, string]>([
    [
      'a message that is shown twice',
      () => ({ shown: [at(0), { ...at(0), index: 1 }], delivered: [] }),
      'a message twice',
    ],
    [
      "Twilio's other author",
      () => ({ shown: [{ ...at(0), author: 'carol' }], delivered: [deliveredAt(0)] }),
      "Twilio's author carol",
    ],
    [
      'a message that is hidden',
      () => ({ shown: [], delivered: [deliveredAt(0)] }),
      'stands nowhere else was hidden',
    ],
    [
      'something hidden that is no copy',
      () => ({ shown: [], delivered: [deliveredAt(0, { body: 'e2e1.AQEB' })] }),
      'no true copy was hidden',
    ],
    [
      'a message that is not shown for no reason',
      () => ({
        shown: [{ ...at(0), encryption: { status: 'rejected', code: 'REPLAYED' } }],
        delivered: [deliveredAt(0)],
      }),
      'a true message is',
    ],
    [
      'the old words after an edit arrived',
      () => {
        edited();
        return { shown: [at(0)], delivered: [deliveredAt(0, { body: textOf(of(0), 1) })] };
      },
      'another version',
    ],
  ])('%s', (_, observed, problem) => {
    const seen = observed();
    const reading = { channelSid: CHANNEL, settled: seen.shown, ...seen };
    const problems = checkReading(model, bob, reading);
    expect(problems).toContainEqual(expect.stringContaining(problem));
  });

  test('a copy that is shown', () => {
    look(at(0));
    model.touch(CHANNEL, 9);
    const copy: Shown = {
      ...at(0),
      index: 9,
      encryption: { status: 'rejected', code: 'REPLAYED' },
    };
    const delivered = [deliveredAt(0), deliveredAt(0, { index: 9 })];
    const reading = { channelSid: CHANNEL, shown: [at(0), copy], settled: [], delivered };
    expect(checkReading(model, bob, reading)).toEqual([
      expect.stringContaining('bob at 9: a copy was not hidden'),
    ]);
  });

  test('a gap that is not reported', () => {
    const bent: Shown = { ...at(1), encryption: { status: 'rejected', code: 'MALFORMED' } };
    const delivered = [deliveredAt(0), deliveredAt(1, { body: 'e2e1.AQEB' }), deliveredAt(2)];
    const shownNow = [at(0), bent, at(2)];
    const silent = { channelSid: CHANNEL, shown: shownNow, settled: [], delivered };
    expect(checkGaps(model, bob, silent)).toHaveLength(1);
    const anomalies = [{ code: 'GAP', from: 2, to: 2 } as const];
    const told = { ...at(2), encryption: verified(2, { anomalies }) };
    expect(checkGaps(model, bob, { ...silent, shown: [at(0), bent, told] })).toEqual([]);
  });

  test('a gap between key messages, once a message is shown at which it can be told', () => {
    const [first, last] = [10, 12].map((index, at) => {
      const audience = new Set(['alice', 'bob']);
      const head = { author: 'alice', cardId: CARD, channelSid: CHANNEL };
      const body = `key ${index}`;
      model.posted(body, { kind: 'key', ...head, audience, sequence: 4 + 2 * at, index });
      return { sid: `IM${index}`, index, author: 'alice', body };
    });
    const missing = { sid: 'IM11', index: 11, author: 'alice', body: 'e2e1.AQEB' };
    const bent: Shown = {
      ...at(0),
      ...missing,
      encryption: { status: 'rejected', code: 'MALFORMED' },
    };
    const delivered = [first, missing, last].flatMap((one) => one ?? []);
    const silent = { channelSid: CHANNEL, shown: [bent], settled: [], delivered };
    expect(checkGaps(model, bob, silent)).toEqual([]);
    const before = { shown: [at(0), bent], delivered: [deliveredAt(0), ...delivered] };
    expect(checkGaps(model, bob, { ...silent, ...before })).toHaveLength(1);
  });

  test.each<[string, MessageEncryption]>([
    ['a rejected message', { status: 'rejected', code: 'REPLAYED' }],
    ['the wrong reason', { status: 'unavailable', code: 'NOT_ADDRESSED' }],
    ['an anomaly', verified(0, { anomalies: [{ code: 'FORK' }] })],
    ['a gap', verified(2, { anomalies: [{ code: 'GAP', from: 2, to: 2 }] })],
  ])('%s when nobody tampered', (_, encryption) => {
    expect(checkHonest(model, bob, { ...at(0), encryption })).toHaveLength(1);
  });
});
