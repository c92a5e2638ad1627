/** Runs a schedule against a whole system, and checks after each step what everybody is shown. */
import type { Push } from 'twilio-chat-emulator';
import { parseEnvelope } from 'twilio-chat-encryption/protocol';
import { expect, vi } from 'vitest';
import type { World } from '../integration/world.ts';
import {
  checkGaps,
  checkHonest,
  checkOnce,
  checkReading,
  checkShown,
  type Memory,
  type Reading,
  type Shown,
} from './checker.ts';
import { createModel, SECRET, type Model, type Sent } from './model.ts';
import { createReader, reconnect, seesMembers, snapshot, WAIT, type Reader } from './people.ts';
import type { Attack, HonestStep, Step } from './schedule.ts';
import { attack, bentPush, type Scene } from './twilio.ts';

/** Who takes part: everybody in the first room, and in the second with so many others that it has sessions. */
const NAMES = ['alice', 'bob', 'carol'] as const;
// One more than needed: it has sessions also while one of them is away.
const GHOSTS = Array.from({ length: 15 }, (_, index) => `ghost ${index}`);
const VISITORS = ['visitor 0', 'visitor 1'];

type Of<Name extends Step['do']> = Extract<HonestStep | Attack, { readonly do: Name }>;

interface Room {
  readonly sid: string;
  readonly members: Set<string>;
}

/** What kind of run it is. */
export interface Course {
  /** Nobody tampers with anything. */
  readonly honest: boolean;
  /** How often what was shown: `verified`, the codes, the anomalies, and what was hidden. */
  readonly seen: Map<string, number>;
}

/** One run: `honest` if nobody tampers. Rejects with what is wrong, and after which step. */
export async function simulate(
  world: World,
  steps: readonly Step[],
  { honest, seen }: Course,
): Promise<void> {
  const strays: unknown[] = [];
  const onStray = (error: unknown): void => void strays.push(error);
  process.on('unhandledRejection', onStray);
  process.on('uncaughtExceptionMonitor', onStray);
  const simulation = await start(world, { honest, seen });
  try {
    for (const [at, step] of steps.entries()) {
      const problems = await inTime(simulation.run(step));
      problems.push(...strays.map((error) => `a stray error: ${String(error)}`));
      if (problems.length > 0) throw failure(problems, steps.slice(0, at + 1));
    }
    const problems = await inTime(simulation.end());
    if (problems.length > 0) throw failure(problems, steps);
  } finally {
    simulation.stop();
    process.off('unhandledRejection', onStray);
    process.off('uncaughtExceptionMonitor', onStray);
  }
}

const STEP_MILLISECONDS = 20_000;

/** What is wrong, also that something failed or does not end. */
async function inTime(checking: Promise<string[]>): Promise<string[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string[]>((resolve) => {
    timer = setTimeout(() => {
      resolve(['It does not end.']);
    }, STEP_MILLISECONDS);
  });
  const ended = checking.catch((error: unknown) => [String(error)]);
  return Promise.race([ended, late]).finally(() => {
    clearTimeout(timer);
  });
}

function failure(problems: readonly string[], steps: readonly Step[]): Error {
  const schedule = steps.map((step, at) => `${at} ${JSON.stringify(step)}`).join('\n');
  return new Error(`${problems.join('\n')}\nafter the last of these steps:\n${schedule}`);
}

interface Simulation {
  run(step: Step): Promise<string[]>;
  /** Everybody starts anew and reads everything. */
  end(): Promise<string[]>;
  stop(): void;
}

async function start(world: World, { honest, seen }: Course): Promise<Simulation> {
  const { emulator } = world;
  const model = createModel();
  await world.crowd([...GHOSTS, ...VISITORS]);
  const readers: Reader[] = [];
  const newest = (): number => model.sent.length;
  for (const name of NAMES) readers.push(await createReader(world, name, newest));
  const rooms = [await openRoom(world, readers, []), await openRoom(world, readers, GHOSTS)];
  const scene: Scene = {
    world,
    model,
    rooms: rooms.map(({ sid }) => sid),
    get people() {
      return readers.map(({ person }) => person());
    },
  };
  const pushes = pushControl(scene);

  async function run(step: Step): Promise<string[]> {
    await act(step);
    return check(step.readers, step.pageSize);
  }

  async function act(step: Step): Promise<void> {
    switch (step.do) {
      case 'say':
        return say(step);
      case 'edit':
        return edit(step);
      case 'delete':
        return erase(step);
      case 'restart':
        pushes.set(NAMES[step.who] ?? '', 'fine', false);
        return readers[step.who]?.restart();
      case 'reconnect':
        return readers[step.who] && reconnect(world, readers[step.who] ?? never());
      case 'ghost':
        return ghost(step);
      case 'member':
        return member(step);
      case 'pushes':
        pushes.set(NAMES[step.who] ?? '', step.now, step.backwards);
        return;
      default:
        return attack(step, scene);
    }
  }

  function roomOf(step: { readonly room: number }): Room {
    return rooms[step.room] ?? never();
  }

  async function say({ who, twice, ...step }: Of<'say'>): Promise<void> {
    const room = roomOf(step);
    const before = nextIndex(room);
    const speakers = readers.filter(
      ({ identity }, at) => who.includes(at) && room.members.has(identity),
    );
    const said = await Promise.all(
      speakers.flatMap((reader) =>
        (twice ? [reader, reader] : [reader]).map((one) => sayOne(one, room)),
      ),
    );
    notePosts(room, before, new Map(said.map(({ index, sent }) => [index, sent])));
  }

  async function sayOne(
    { identity, person, views }: Reader,
    { sid, members }: Room,
  ): Promise<{ readonly index: number; readonly sent: Sent }> {
    const what = model.fresh();
    const { cardId } = person().encryption;
    const head = { author: identity, cardId, channelSid: sid };
    const sent = model.saying(head, what, new Set(members));
    const index = await views.get(sid)?.channel.sendMessage(what.body, what.attributes);
    return { index: index ?? never(), sent };
  }

  function nextIndex({ sid }: Room): number {
    return (emulator.inspect.messages(sid).at(-1)?.index ?? -1) + 1;
  }

  /** Numbers what clients posted, as their cards did. */
  function notePosts(room: Room, before: number, said: ReadonlyMap<number, Sent>): void {
    const posted = emulator.inspect.messages(room.sid).filter(({ index }) => index >= before);
    for (const { sid, index, author, body } of posted) {
      const cardId = readers.find(({ identity }) => identity === author)?.person()
        .encryption.cardId;
      if (cardId === undefined) throw new Error(`A message of ${author}?`);
      const sequence = model.count(cardId, room.sid);
      const sent = said.get(index);
      const [version] = sent?.versions ?? [];
      if (sent && version) {
        sent.home = { sid, index, sequence };
        version.text = body;
        model.posted(body, { kind: 'message', sent, version: 0 });
      } else {
        expect(parseEnvelope(body).type).toBe('key');
        const audience = new Set(room.members);
        const key = { author, cardId, channelSid: room.sid, audience, sequence, index };
        model.posted(body, { kind: 'key', ...key });
      }
    }
  }

  /** The messages that this person sees as their own, and can change. */
  async function own(reader: Reader, { sid, members }: Room) {
    if (!members.has(reader.identity)) return [];
    const items = (await reader.views.get(sid)?.channel.getMessages(100))?.items ?? [];
    return items.flatMap((message) => {
      const { encryption } = message;
      if (encryption.status !== 'verified') return [];
      const origin = model.originOf(message.body, message.attributes);
      const stored = emulator.inspect.messages(sid).some((one) => one.sid === message.sid);
      return origin?.sent.author === reader.identity && stored ? [{ message, origin }] : [];
    });
  }

  async function edit(step: Of<'edit'>): Promise<void> {
    const room = roomOf(step);
    const reader = readers[step.who] ?? never();
    const all = await own(reader, room);
    const chosen = all[step.which % Math.max(1, all.length)];
    if (!chosen) return;
    const { message, origin } = chosen;
    const what = model.fresh();
    const changes = step.part === 'body' ? { body: what.body } : { attributes: what.attributes };
    const version = model.editing(origin.sent, changes, new Set(room.members));
    const number = origin.sent.versions.indexOf(version);
    const before = nextIndex(room);
    // Twilio refuses who is not the author by its own books.
    const posted = await settled(
      step.part === 'body'
        ? message.updateBody(what.body)
        : message.updateAttributes(what.attributes),
    );
    notePosts(room, before, new Map());
    if (!posted && honest) throw new Error('An edit failed.');
    const stored = emulator.inspect.messages(room.sid);
    const { body } = stored.find(({ index }) => index === message.index) ?? { body: '' };
    if (!posted || model.genuine.has(body)) return;
    version.text = body;
    model.posted(body, { kind: 'message', sent: origin.sent, version: number });
  }

  async function erase(step: Of<'delete'>): Promise<void> {
    const room = roomOf(step);
    const all = await own(readers[step.who] ?? never(), room);
    await settled(all[step.which % Math.max(1, all.length)]?.message.remove() ?? Promise.resolve());
  }

  async function ghost(step: Of<'ghost'>): Promise<void> {
    const room = roomOf(step);
    const [first] = VISITORS;
    const identity = first ?? never();
    if (room.members.has(identity)) await remove(room, identity);
    else {
      emulator.tamper.addMember(room.sid, identity);
      room.members.add(identity);
    }
    await allSee(room);
  }

  async function member(step: Of<'member'>): Promise<void> {
    const room = roomOf(step);
    const [, , carol] = readers;
    if (!carol) return;
    if (room.members.has(carol.identity)) {
      carol.views.delete(room.sid);
      await remove(room, carol.identity);
    } else {
      emulator.tamper.addMember(room.sid, carol.identity);
      room.members.add(carol.identity);
      await vi.waitFor(() => carol.look(room.sid), WAIT);
    }
    await allSee(room);
  }

  async function remove(room: Room, identity: string): Promise<void> {
    const [alice] = readers;
    await alice?.views.get(room.sid)?.channel.removeMember(identity);
    room.members.delete(identity);
  }

  async function allSee(room: Room): Promise<void> {
    for (const reader of readers) {
      if (room.members.has(reader.identity)) await seesMembers(reader, room.sid, room.members);
    }
  }

  async function check(who: readonly number[], pageSize: number): Promise<string[]> {
    const problems: string[] = [];
    for (const [at, reader] of readers.entries()) {
      await reader.settle();
      if (honest) {
        await vi.waitFor(() => {
          checkAdded(model, reader);
        }, WAIT);
      }
      problems.push(...judge(reader.memory, reader.takeEvents()));
      for (const [sid, { screen }] of reader.views) {
        const shown = [...screen].map((message) => snapshot(message, sid));
        problems.push(...checkOnce(reader.memory, shown));
        if (who.includes(at)) problems.push(...(await checkHistory(reader, sid, pageSize)));
      }
    }
    if (emulator.inspect.dump().includes(SECRET)) problems.push('Twilio reads what was sent');
    return problems;
  }

  function tally(what: string, times = 1): void {
    seen.set(what, (seen.get(what) ?? 0) + times);
  }

  function judge(memory: Memory, shown: readonly Shown[]): string[] {
    for (const { encryption } of shown) {
      if (encryption.status !== 'verified') tally(encryption.code);
      else
        for (const what of ['verified', ...encryption.anomalies.map(({ code }) => code)])
          tally(what);
    }
    return shown.flatMap((one) => [
      ...checkShown(model, memory, one),
      ...(honest ? checkHonest(model, memory, one) : []),
    ]);
  }

  async function checkHistory(reader: Reader, sid: string, pageSize: number): Promise<string[]> {
    const { memory } = reader;
    const reading = await decided(() => reader.read(sid, pageSize));
    // What became of messages while it was read came before.
    const problems = judge(memory, reader.takeEvents());
    tally('hidden', reading.delivered.length - reading.shown.length);
    problems.push(...judge(memory, reading.shown), ...checkReading(model, memory, reading));
    if (pageSize >= reading.delivered.length) problems.push(...checkGaps(model, memory, reading));
    return problems;
  }

  return {
    run,
    async end() {
      for (const { identity } of readers) pushes.set(identity, 'fine', false);
      const problems = await check([0, 1, 2], 100);
      for (const reader of readers) {
        await reader.restart();
        problems.push(...(await check([readers.indexOf(reader)], 100)));
      }
      const frames = emulator.inspect.received().map(({ payload }) => payload);
      if (frames.some((payload) => payload.includes(SECRET))) problems.push('sent in the clear');
      return problems;
    },
    stop: () => {
      pushes.stop();
    },
  };
}

/** Messages that a busy machine has not got to are not judged yet. */
async function decided(read: () => Promise<Reading>): Promise<Reading> {
  for (let attempt = 1; ; attempt++) {
    const reading = await read();
    const isWaiting = reading.shown.some(
      ({ encryption }) => encryption.status === 'pending' && encryption.code !== 'KEY_PENDING',
    );
    if (!isWaiting || attempt === 5) return reading;
  }
}

/** Each message that was sent since this run began was added once, in order. */
function checkAdded(model: Model, { identity, views }: Reader): void {
  for (const [sid, { since, added }] of views) {
    const expected = model.sent
      .slice(since)
      .filter(({ channelSid, home, versions }) => {
        return channelSid === sid && home !== null && versions[0]?.audience.has(identity);
      })
      .map(({ home }) => home?.index ?? -1);
    expect(added).toEqual(expected.sort((one, other) => one - other));
  }
}

async function openRoom(
  { emulator }: World,
  readers: readonly Reader[],
  others: readonly string[],
): Promise<Room> {
  const [creator] = readers;
  const channel = await (creator ?? never()).person().client.createChannel({ isPrivate: true });
  await channel.join();
  const { sid } = channel;
  for (const { identity } of readers.slice(1)) emulator.tamper.addMember(sid, identity);
  for (const identity of others) emulator.tamper.addMember(sid, identity);
  const members = new Set([...readers.map(({ identity }) => identity), ...others]);
  for (const reader of readers) {
    await vi.waitFor(() => reader.look(sid), WAIT);
    await seesMembers(reader, sid, members);
  }
  return { sid, members };
}

type Fate = Of<'pushes'>['now'];

/** What becomes of messages that are pushed to somebody. */
function pushControl(scene: Scene) {
  const fates = new Map<string, Fate>();
  const held = new Map<string, (() => void)[]>();
  const stop = scene.world.emulator.tamper.onPush((push) => {
    const [sid = '', part] = push.object.split('.');
    if (part !== 'messages' || !scene.rooms.includes(sid)) return undefined;
    switch (fates.get(push.identity) ?? 'fine') {
      case 'held':
        return new Promise((resolve) => {
          const waiting = held.get(push.identity) ?? [];
          waiting.push(() => {
            resolve([push]);
          });
          held.set(push.identity, waiting);
        });
      case 'lost':
        return [];
      case 'twice':
        return [push, push];
      case 'bent':
        return [bentOf(push, sid, scene)];
      case 'fine':
        return undefined;
    }
  });

  function release(identity: string, backwards: boolean): void {
    const waiting = held.get(identity) ?? [];
    held.delete(identity);
    for (const letGo of backwards ? waiting.toReversed() : waiting) letGo();
  }

  return {
    set(identity: string, fate: Fate, backwards: boolean): void {
      fates.set(identity, fate);
      if (fate !== 'held') release(identity, backwards);
    },
    stop() {
      for (const identity of held.keys()) release(identity, false);
      stop();
    },
  };
}

function bentOf(push: Push, sid: string, scene: Scene): Push {
  const { text } = push.data;
  if (typeof text !== 'string' || typeof push.key !== 'number') return push;
  scene.model.touch(sid, push.key);
  scene.model.damage(sid, push.key);
  return { ...push, data: { ...push.data, text: bentPush(text, scene, sid) } };
}

/** Whether a promise is fulfilled. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const [{ status }] = await Promise.allSettled([promise]);
  return status === 'fulfilled';
}

function never(): never {
  throw new Error('The schedule does not fit.');
}
