/** Answers that are none: of any shape and size, or that never come. Each is a typed error, and over then. */
import { exportCard } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { codeOf } from '../outcomes.ts';
import { person, seal } from '../protocol/people.ts';
import { NOTHING_HEARD } from './heard.ts';
import { Room } from './room.ts';
import { membersOf, SERVER, served, type Hostile } from './served.ts';
import { later, MaliciousServer, type Person } from './server.ts';

const honest: Hostile = () => null;

let server: MaliciousServer;
let hostile: Hostile = honest;
let requests = 0;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
  server = new MaliciousServer();
  vi.stubGlobal(
    'fetch',
    served(server.as('alice'), () => {
      requests += 1;
      return hostile;
    }),
  );
  // As long as nobody has to wait for it.
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(100));
  const authorize = () => Promise.resolve('token');
  alice = await server.open('alice', { server: SERVER, authorize });
  bob = await server.open('bob');
  await new Room('alice', 'bob').tell(alice.device, bob.device, 'hello');
});

afterAll(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const json =
  (value: unknown, status = 200): Hostile =>
  () =>
    Response.json(value, { status });

const text =
  (body: string, status = 200): Hostile =>
  () =>
    new Response(body, { status });

/** Some members of the honest answer are others. */
const changed =
  (change: (answer: Readonly<Record<string, unknown>>) => object): Hostile =>
  (answer) => {
    const honestly = membersOf(answer);
    return Response.json({ ...honestly, ...change(honestly) });
  };

/** Bytes without end. */
const endless: Hostile = () =>
  new Response(
    new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(2 ** 20).fill(0x5b));
      },
    }),
  );

const silent: Hostile = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new DOMException('It took too long.', 'TimeoutError'));
    });
  });

/** Half of an answer, and then nothing. */
const broken: Hostile = (_, signal) =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"head":"'));
        signal.addEventListener('abort', () => {
          controller.error(new DOMException('It took too long.', 'TimeoutError'));
        });
      },
    }),
  );

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
/** The honest answer as text, changed. */
const rewritten =
  (change: (text: string) => string): Hostile =>
  (answer) =>
    new Response(change(JSON.stringify(answer)));

const shapes: readonly (readonly [string, Hostile, string])[] = [
  ['HTML', text('<!doctype html><script>alert(1)</script>'), 'DIRECTORY_UNREACHABLE'],
  ['HTML, not found', text('<!doctype html>', 404), 'DIRECTORY_REFUSED'],
  ['nothing', text(''), 'DIRECTORY_UNREACHABLE'],
  ['half of JSON', text('{"head":'), 'DIRECTORY_UNREACHABLE'],
  ['a failure', json({}, 500), 'DIRECTORY_UNREACHABLE'],
  ['too many requests', json({}, 429), 'DIRECTORY_UNREACHABLE'],
  ['a refusal', json({ code: 'NO', detail: '\u202e<b>' }, 403), 'DIRECTORY_REFUSED'],
  ['no such session', json({}, 401), 'UNAUTHORIZED'],
  ['no content', () => new Response(null, { status: 204 }), 'DIRECTORY_REFUSED'],
  ['never', silent, 'DIRECTORY_UNREACHABLE'],
  ['half, and never the rest', broken, 'DIRECTORY_UNREACHABLE'],
  ['without an end', endless, 'DIRECTORY_UNREACHABLE'],
  ['nested a million deep', text(nested(1_000_000)), 'DIRECTORY_REFUSED'],
  ['null', json(null), 'DIRECTORY_REFUSED'],
  ['a number', json(5), 'DIRECTORY_REFUSED'],
  ['a list', json([]), 'DIRECTORY_REFUSED'],
  ['an empty object', json({}), 'DIRECTORY_REFUSED'],
  [
    'what it should, as a prototype',
    rewritten((all) => `{"__proto__":${all}}`),
    'DIRECTORY_REFUSED',
  ],
  ['a head that is a number', changed(() => ({ head: 5 })), 'DIRECTORY_REFUSED'],
  ['a head that is huge', changed(() => ({ head: 'A'.repeat(2 ** 22) })), 'LOG_INVALID'],
  ['no consistency', changed(() => ({ consistency: null })), 'DIRECTORY_REFUSED'],
  ['no lookup', changed(() => ({ lookup: null })), 'LOG_INVALID'],
  ['a lookup that is a text', changed(() => ({ lookup: 'x' })), 'LOG_INVALID'],
  [
    'a lookup nested ten thousand deep',
    rewritten((all) => all.replace('"lookup":{', `"lookup":${nested(100_000)},"x":{`)),
    'LOG_INVALID',
  ],
  [
    'a lookup in a prototype',
    rewritten((all) =>
      all
        .replace('"lookup":{', '"lookup":{"__proto__":{')
        .replace('},"consistency"', '}},"consistency"'),
    ),
    'LOG_INVALID',
  ],
  [
    'a hundred thousand people',
    changed(() => ({ lookup: { lastLeaf: null, inclusion: [], found: Array(100_000).fill({}) } })),
    'LOG_INVALID',
  ],
  [
    'a hundred thousand hashes',
    changed(({ lookup }) => ({
      lookup: {
        ...membersOf(lookup),
        inclusion: Array.from({ length: 100_000 }, () => 'A'.repeat(43)),
      },
    })),
    'LOG_INVALID',
  ],
];

test.each(shapes)(
  '%s: nobody is trusted, nothing is sent in vain, and nothing lost',
  async (_, shape, code) => {
    const name = `dave ${server.truth.log.size}`;
    const dave = await person(name);
    await server.truth.publish(exportCard(dave.card));
    later();
    hostile = shape;
    const [known, unknown] = [new Room('alice', 'bob'), new Room('alice', name)];
    for (const asking of [
      () => alice.device.safetyNumbers.trustOf(name),
      () => alice.device.cards.find('bob'),
      () => alice.device.devices.list(),
    ]) {
      expect(await codeOf(asking())).toBe(code);
    }
    const head = await server.truth.log.head(Date.now());
    const text = await seal(dave, [{ ...dave, card: alice.device.card() }], 'new here', {
      ...{ channelSid: unknown.sid, head },
    });
    const fromDave = unknown.put(name, text);
    const first = await unknown.read(alice.device, fromDave);
    expect(['CARD_PENDING', 'CARD_INVALID']).toContain(first);
    const fromBob = await known.send(bob.device, 'still here');
    expect(await known.read(alice.device, fromBob)).toBe('still here (pinned)');

    // What waits for the server is sent when it answers; anything else is an error, and nothing was sent.
    const before = requests;
    const sending = Promise.allSettled([known.send(alice.device, 'secret')]);
    await expect.poll(() => requests).toBeGreaterThan(before);
    if (code === 'DIRECTORY_UNREACHABLE') hostile = honest;
    const [outcome] = await sending;
    if (code === 'DIRECTORY_UNREACHABLE') expect(outcome).toMatchObject({ value: 1 });
    else expect(outcome).toMatchObject({ reason: { code } });
    expect(known.posts).toHaveLength(code === 'DIRECTORY_UNREACHABLE' ? 2 : 1);

    hostile = honest;
    expect(await unknown.read(alice.device, fromDave)).toMatch(/^new here \(new\)/);
    expect(await known.tell(alice.device, bob.device, 'again')).toMatch(/^again \(/);
    expect(await alice.device.splitView()).toBeNull();
    const { auditFailed } = alice.heard;
    // Such an answer was one about herself, too, under the head of Bob's message.
    const told = auditFailed.splice(0).map((failure) => failure.code);
    expect(told.every((each) => each === code && code !== 'DIRECTORY_UNREACHABLE')).toBe(true);
    expect(alice.heard).toEqual(NOTHING_HEARD);
  },
);
