/**
 * What the whole plugin costs beside single messages: to open a device, to send to many for the first time,
 * to have many join and write, and what a long session keeps in memory. The emulator and the directory are
 * in this process, so nothing is waited for. LONG=1 has the largest sizes.
 */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { growth, measure, timing } from './harness.ts';
import { chat, emulator, enrol, open, type Room } from './stage.ts';

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

/** Everybody is a member, and then everybody writes once: who reads has all of it. */
async function storms(): Promise<void> {
  const points: [number, number][] = [];
  for (const size of JOINS) {
    const reader = `host of ${size}`;
    const room = await chat.create(reader, await open(reader));
    const rooms: Room[] = [];
    const names = Array.from({ length: size }, (_, at) => `guest ${at} of ${size}`);
    const took = await timed(async () => {
      for (const name of names) {
        const device = await open(name);
        emulator.tamper.addMember(room.sid, name);
        rooms.push(await chat.enter(name, device, room.sid));
      }
      for (const one of rooms) await one.sendMessage('hello');
      const { items } = await room.getMessages(Math.min(100, 2 * size));
      if (items.length < size) throw new Error('Something is missing.');
    });
    line(`${size} join, and write a message each`, took);
    points.push([size, took]);
  }
  console.log(`growth: ${growth(points).toFixed(2)}`);
}

/** Messages that come live to a reader, and what is kept of them when they have gone. */
async function longSession(): Promise<void> {
  const room = await chat.create('talker', await open('talker'));
  emulator.tamper.addMember(room.sid, 'listener');
  const other = await chat.enter('listener', await open('listener'), room.sid);
  let sent = 0;
  for (const size of SESSION) {
    const start = performance.now();
    const from = sent;
    for (; sent < size; sent += 1) await room.sendMessage(`message ${sent}`);
    await other.getMessages(1);
    const each = (performance.now() - start) / (size - from);
    globalThis.gc?.();
    const heap = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
    console.log(`after ${size} messages: ${each.toFixed(2)} ms each, ${heap} MiB`);
  }
}

await opening();
await crowds();
await storms();
await longSession();
process.exit(0);
