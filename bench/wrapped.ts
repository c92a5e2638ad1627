/**
 * What wrapping a client costs: one message sent, and the first page read, with the bare SDK and with the
 * wrapped one, in one run in turns. Both talk to the emulator over a real websocket on this machine, where
 * the network takes nothing; and once more with an emulator that lets each request wait, as Twilio's
 * distance does.
 *
 * Between bare and wrapped stands what no encryption can avoid: `envelopes` is the bare SDK, reading the
 * same page of encrypted messages, which are longer; `signatures` is a page of Ed25519 signatures checked
 * by WebCrypto, side by side. Bare with both is the floor.
 */
import { setTimeout } from 'node:timers/promises';
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { measure, ratio, timing, type Times } from './harness.ts';
import { chat, conversations, emulator, open, type Room, type Sdk } from './stage.ts';

const BODY = 'x'.repeat(200);
/** How long a request is on its way there and back, in milliseconds, and how long the pages are. */
const PLACES = [
  { away: 0, sizes: [10, 30, 100] },
  { away: 40, sizes: [100] },
];
type Place = (typeof PLACES)[number];
const SENDERS = 10;
const MILLISECONDS = Number(process.env['MILLISECONDS'] ?? 10_000);

function line(what: string, times: Times, base: Times): void {
  const { median, p10 } = timing(times);
  const { median: times1, spread } = ratio(times, base);
  const numbers = [median, p10].map((time) => (time / 1000).toFixed(2).padStart(8));
  const factors = [times1, ...spread].map((one) => one.toFixed(2));
  console.log(what.padEnd(30), ...numbers, `  ${factors[0]} (${factors[1]}–${factors[2]})`);
}

function table(title: string, results: ReadonlyMap<string, Times>): void {
  const base = results.get('bare') ?? [];
  console.log(`\n${title}`);
  console.log(''.padEnd(30), 'median ms', ' p10 ms', '  ÷ bare (p10–p90)');
  for (const [name, times] of results) line(name, times, base);
}

/** A page of signatures of one sender each, as many as there are messages. */
async function signatures(count: number): Promise<() => Promise<unknown>> {
  const pairs = await Promise.all(
    Array.from({ length: SENDERS }, () =>
      crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']),
    ),
  );
  const message = crypto.getRandomValues(new Uint8Array(400));
  const signed = await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const pair = pairs[at % SENDERS];
      if (!pair || !('publicKey' in pair)) throw new Error('It is no key pair.');
      const { publicKey, privateKey } = pair;
      return { publicKey, signature: await crypto.subtle.sign('Ed25519', privateKey, message) };
    }),
  );
  return () =>
    Promise.all(
      signed.map(({ publicKey, signature }) =>
        crypto.subtle.verify('Ed25519', publicKey, signature, message),
      ),
    );
}

async function sends(sdk: Sdk, { away }: Place): Promise<void> {
  const identity = `alice of ${sdk.name}, ${away}`;
  const bare = await sdk.create(identity, null);
  const wrapped = await sdk.create(identity, await open(identity));
  table(
    `${sdk.name}, ${away} ms away: a message of ${BODY.length} characters sent`,
    await measure(
      {
        bare: { run: () => bare.sendMessage(BODY) },
        wrapped: { run: () => wrapped.sendMessage(BODY) },
      },
      MILLISECONDS,
    ),
  );
}

/** Pages that ten people wrote, read by one of them. */
async function pages(sdk: Sdk, { away, sizes }: Place): Promise<void> {
  const people = Array.from({ length: SENDERS }, (_, at) => `person ${at} of ${sdk.name}, ${away}`);
  const [reader = ''] = people;
  const keyStore = new MemoryKeyStore();
  const device = await open(reader, keyStore);
  const bare = await sdk.create(reader, null);
  const wrapped = await sdk.create(reader, device);
  const rooms: { bare: Room; wrapped: Room }[] = [{ bare, wrapped }];
  for (const identity of people.slice(1)) {
    const encryption = await open(identity);
    for (const { sid } of [bare, wrapped]) emulator.tamper.addMember(sid, identity);
    rooms.push({
      bare: await sdk.enter(identity, null, bare.sid),
      wrapped: await sdk.enter(identity, encryption, wrapped.sid),
    });
  }
  for (let at = 0; at < Math.max(...sizes) / SENDERS; at += 1) {
    for (const room of rooms) {
      await room.bare.sendMessage(BODY);
      await room.wrapped.sendMessage(BODY);
    }
  }
  for (const size of sizes) {
    let room = bare;
    const reading = (enter: () => Promise<Room>) => ({
      before: async () => void (room = await enter()),
      run: async () => {
        const { items } = await room.getMessages(size);
        if (items.length !== size) throw new Error('The page is not whole.');
      },
    });
    const results = await measure(
      {
        bare: reading(() => sdk.enter(reader, null, bare.sid)),
        envelopes: reading(() => sdk.enter(reader, null, wrapped.sid)),
        signatures: { run: await signatures(size) },
        'wrapped, seen before': reading(() => sdk.enter(reader, device, wrapped.sid)),
        'wrapped, after a restart': reading(async () =>
          sdk.enter(reader, await open(reader, keyStore), wrapped.sid),
        ),
      },
      MILLISECONDS,
    );
    table(
      `${sdk.name}, ${away} ms away: the first page, of ${size} messages from ${SENDERS} people`,
      results,
    );
    const [page, checks] = [results.get('envelopes') ?? [], results.get('signatures') ?? []];
    const floor = page.map((time, round) => time + (checks[round] ?? NaN));
    line('floor', floor, results.get('bare') ?? []);
    const read = results.get('wrapped, seen before') ?? [];
    console.log(`wrapped ÷ floor: ${ratio(read, floor).median.toFixed(2)}`);
  }
}

for (const place of PLACES) {
  const { away } = place;
  if (away > 0) emulator.tamper.onRequest(() => setTimeout(away, undefined));
  for (const sdk of [chat, conversations]) {
    await sends(sdk, place);
    await pages(sdk, place);
  }
}
process.exit(0);
