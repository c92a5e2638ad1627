/**
 * What the whole plugin costs beside single messages: to open a device, to send to many for the first time,
 * to have many join and write, and what a long session keeps in memory. The emulator and the directory are
 * in this process, so nothing is waited for. LONG=1 has the largest sizes.
 */
import type { Channel } from 'twilio-chat';
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { growth, measure, timing } from './harness.ts';
import { used } from './memory.ts';
import { make } from './peer.ts';
import { chat, emulator, enrol, open } from './stage.ts';

const isLong = process.env['LONG'] === '1';
// Twilio has a thousand members in a channel, the writer among them.
const MEMBERS = [10, 100, 999];
const JOINS = isLong ? [10, 30, 100] : [5, 10, 20];
const SESSION = isLong ? [1000, 3000, 10_000] : [300, 1000, 3000];

function line(what: string, milliseconds: number): void {
  console.log(what.padEnd(52), `${milliseconds.toFixed(1)} ms`.padStart(12));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function opening(): Promise<void> {
  let count = 0;
  const keyStore = new MemoryKeyStore();
  await open('opener', keyStore);
  const times = await measure(
    {
      'a device opened for the first time': { run: () => open(`newcomer ${(count += 1)}`) },
      'a device opened again': {
        run: async () => {
          (await open('opener', keyStore)).close();
        },
      },
    },
    5000,
  );
  for (const [name, each] of times) line(`${name}, median`, timing(each).median / 1000);
}

async function crowds(): Promise<void> {
  const people = Array.from({ length: Math.max(...MEMBERS) }, (_, at) => `member ${at}`);
  line(`${people.length} cards made and published`, await timed(() => enrol(people)));
  const firsts: [number, number][] = [];
  const nexts: [number, number][] = [];
  for (const size of MEMBERS) {
    const name = `writer to ${size}`;
    const room = await chat.create(name, await open(name));
    for (const member of people.slice(0, size)) emulator.tamper.addMember(room.sid, member);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const first = await timed(() => room.sendMessage('hello'));
    const others: number[] = [];
    for (let at = 0; at < 20; at += 1) others.push(await timed(() => room.sendMessage('again')));
    const next = others.sort((one, other) => one - other)[10] ?? NaN;
    line(`the first message to ${size} who were never seen`, first);
    line(`the next`, next);
    firsts.push([size, first]);
    nexts.push([size, next]);
  }
  console.log(`growth: ${growth(firsts).toFixed(2)} first, ${growth(nexts).toFixed(2)} next`);
}

/** Everybody joins, and then everybody writes once, until everybody has seen all of it. */
async function storm(size: number, isWrapped: boolean): Promise<number> {
  const kind = isWrapped ? 'wrapped' : 'bare';
  const names = Array.from({ length: size }, (_, at) => `${kind} guest ${at} of ${size}`);
  const devices = await make(size, (at) => (isWrapped ? open(names[at] ?? '') : null));
  const host = `${kind} host of ${size}`;
  const room = await chat.create(host, isWrapped ? await open(host) : null);
  return timed(async () => {
    const rooms = [room];
    for (const [at, name] of names.entries()) {
      emulator.tamper.addMember(room.sid, name);
      rooms.push(await chat.enter(name, devices[at] ?? null, room.sid));
    }
    for (const one of rooms) await isReady(one, size + 1);
    const seen = Promise.all(rooms.map((one) => hears(one, size)));
    for (const one of rooms.slice(1)) await one.sendMessage('hello');
    await seen;
  });
}

/** Whoever reads the first page hears of what is written then; whoever sees all members writes to all. */
async function isReady(room: Channel, members: number): Promise<void> {
  await room.getMessages(1);
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      room.getMembers().then((seen) => {
        if (seen.length === members) resolve();
      }, reject);
    };
    room.on('memberJoined', look);
    look();
  });
}

/** Resolves when so many messages came live, each of which could be read. */
async function hears(room: Channel, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    room.on('messageAdded', ({ body }) => {
      if (body !== 'hello') reject(new Error('Something cannot be read.'));
      if ((left -= 1) === 0) resolve();
    });
  });
}

async function storms(): Promise<void> {
  const bare: [number, number][] = [];
  const wrapped: [number, number][] = [];
  for (const size of JOINS) {
    const points = [
      [size, await storm(size, false)],
      [size, await storm(size, true)],
    ] as const;
    line(`${size} join, and write a message each: bare`, points[0][1]);
    line('… wrapped', points[1][1]);
    bare.push([...points[0]]);
    wrapped.push([...points[1]]);
  }
  console.log(`growth: ${growth(bare).toFixed(2)} bare, ${growth(wrapped).toFixed(2)} wrapped`);
}

/** Messages that come live to a reader: what each takes, and what both ends and Twilio then hold. */
async function longSession(isWrapped: boolean): Promise<void> {
  const kind = isWrapped ? 'wrapped' : 'bare';
  const device = async (name: string) => (isWrapped ? open(name) : null);
  const room = await chat.create(`${kind} talker`, await device(`${kind} talker`));
  const listener = `${kind} listener`;
  emulator.tamper.addMember(room.sid, listener);
  const other = await chat.enter(listener, await device(listener), room.sid);
  const before = used();
  const points: [number, number][] = [];
  let sent = 0;
  for (const size of SESSION) {
    const from = sent;
    const took = await timed(async () => {
      for (; sent < size; sent += 1) await room.sendMessage(`message ${sent}`);
      await other.getMessages(1);
    });
    const held = used() - before;
    points.push([size, held]);
    const each = `${(took / (size - from)).toFixed(2)} ms each`;
    console.log(`${kind}, after ${size} messages: ${each}, ${held.toFixed(1)} MiB more are held`);
  }
  console.log(`growth: ${growth(points).toFixed(2)}`);
}

await opening();
await crowds();
await storms();
await longSession(false);
await longSession(true);
process.exit(0);
