/** Three people who know one another, a server that lies to them at random, and what must hold all the same. */
import {
  EncryptionError,
  isEncryptionError,
  type DeviceEvents,
  type ErrorCode,
} from 'twilio-chat-encryption';
import { exportCard, lookupToJson, type CardId } from 'twilio-chat-encryption/protocol';
import { LoggedDirectory } from '../client/logged-directory.ts';
import { person, random, seal, type Person as Holder } from '../protocol/people.ts';
import { forged } from './forged.ts';
import { Fork, showing } from './fork.ts';
import { answering, finding, type Lie } from './lies.ts';
import { Room } from './room.ts';
import { later, MaliciousServer, type Person } from './server.ts';

export const NAMES = ['alice', 'bob', 'carol'] as const;
export type Name = (typeof NAMES)[number];

/** Lies that show nobody anything but errors. */
export const LIES = [
  'proves nothing',
  'replays',
  'refuses',
  'disproves',
  'approves nothing',
  'logs nothing',
  'has no cards',
] as const;

export type Step =
  | {
      readonly do: 'send' | 'read' | 'look' | 'rotate' | 'add' | 'revoke' | 'restart';
      readonly who: Name;
    }
  | { readonly do: 'meet'; readonly who: Name }
  | { readonly do: 'wait'; readonly minutes: number }
  | { readonly do: 'plant'; readonly about: Name; readonly for: Name | 'all' }
  | { readonly do: 'write'; readonly to: Name }
  | { readonly do: 'freeze'; readonly who: Name }
  | { readonly do: 'lie'; readonly to: Name; readonly which: (typeof LIES)[number] }
  | { readonly do: 'repent' };

/** A card of the server’s making. */
interface Evil {
  readonly holder: Holder;
  readonly about: Name;
  /** To whom it is shown. */
  readonly for: Name | 'all';
}

/** One run. What is wrong is in `problems`. */
export class Simulation {
  readonly server = new MaliciousServer();
  readonly room = new Room(...NAMES);
  readonly problems: string[] = [];
  /** How often what came of it. */
  readonly seen: Map<string, number>;
  readonly #people = new Map<Name, Person>();
  readonly #others = new Map<Name, Person[]>();
  readonly #evils: Evil[] = [];
  readonly #liedTo = new Set<Name>();
  /** Whose device has a card that the log has not. */
  readonly #unlogged = new Set<Name>();
  readonly #read = new Map<Name, Set<number>>(NAMES.map((name) => [name, new Set()]));
  readonly #evilPosts = new Set<number>();
  #checked = 0;

  private constructor(seen: Map<string, number>) {
    this.seen = seen;
  }

  /** Everybody knows everybody. */
  static async start(seen: Map<string, number>): Promise<Simulation> {
    const started = new Simulation(seen);
    for (const name of NAMES) started.#people.set(name, await started.server.open(name));
    for (const name of NAMES) await started.room.send(started.person(name).device, `I am ${name}`);
    for (const name of NAMES) await started.#readAll(name);
    return started;
  }

  async run(step: Step): Promise<void> {
    await this.#act(step);
    await this.#check();
  }

  /** The server is honest from now on: all goes on where it should. */
  async end(): Promise<void> {
    await this.run({ do: 'repent' });
    await this.#publishSomebody();
    later();
    for (const who of NAMES) await this.run({ do: 'restart', who });
    for (const who of NAMES) await this.run({ do: 'send', who });
    for (const who of NAMES) {
      await this.run({ do: 'look', who });
      await this.run({ do: 'read', who });
    }
    // Whoever has a card in their name that is not theirs was told of it.
    for (const { about, for: shown, holder } of this.#evils) {
      const { device, heard } = this.person(about);
      const isTold = idsIn(heard.ownCardUnknown).includes(holder.card.id);
      const isSplit = (await device.splitView()) !== null;
      if (shown === 'all' && !isTold && !isSplit)
        this.#wrong(`${about} was not told of their card`);
    }
    for (const { device } of this.#everybody()) device.close();
  }

  async #act(step: Step): Promise<void> {
    switch (step.do) {
      case 'send':
        return this.#try(step.who, 'send', ({ device }) =>
          this.room.send(device, `by ${step.who}`),
        );
      case 'read':
        return this.#readAll(step.who);
      case 'look':
        return this.#look(step.who);
      case 'rotate':
        return this.#try(step.who, 'rotate', ({ device }) => device.changes.rotate('password'));
      case 'add':
        return this.#add(step.who);
      case 'revoke':
        return this.#revoke(step.who);
      case 'restart':
        return this.#restart(step.who);
      case 'meet':
        return this.#meet(step.who);
      case 'wait':
        later(step.minutes);
        return;
      case 'plant':
        return this.#plant(step.about, step.for);
      case 'write':
        return this.#write(step.to);
      case 'freeze':
        this.#tell(step.who, showing(await Fork.of(this.server.truth)));
        return;
      case 'lie':
        if (step.which === 'logs nothing') this.#unlogged.add(step.to);
        this.#tell(step.to, this.#lie(step.which));
        return;
      case 'repent':
        this.server.repent();
        this.#liedTo.clear();
    }
  }

  /** Somebody’s device, as it is now. */
  person(name: Name): Person {
    const one = this.#people.get(name);
    if (one) return one;
    throw new Error(`There is no ${name}.`);
  }

  #everybody(): readonly Person[] {
    return [...this.#people.values(), ...[...this.#others.values()].flat()];
  }

  #tell(who: Name, lie: Lie): void {
    this.server.tell(lie, who);
    this.#liedTo.add(who);
  }

  #wrong(what: string): void {
    this.problems.push(what);
  }

  #tally(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** Does it, and sees to it that whatever comes of it has a type and a reason. */
  async #try(who: Name, what: string, action: (person: Person) => Promise<unknown>): Promise<void> {
    const person = this.person(who);
    const [outcome] = await Promise.allSettled([action(person)]);
    if (outcome.status === 'fulfilled') {
      this.#tally(what);
      return;
    }
    const error: unknown = outcome.reason;
    if (!isEncryptionError(error)) {
      this.#wrong(`${what} of ${who}: ${String(error)}`);
      return;
    }
    this.#tally(error.code);
    if (!(await this.#isExplained(who, person, error.code))) {
      this.#wrong(`${what} of ${who} for no reason: ${error.code}`);
    }
  }

  async #isExplained(who: Name, { device }: Person, code: ErrorCode): Promise<boolean> {
    if (this.#liedTo.has(who)) return true;
    if (code === 'LOG_INVALID') return this.#unlogged.has(who);
    return code === 'SPLIT_VIEW' && (await device.splitView()) !== null;
  }

  async #readAll(who: Name): Promise<void> {
    const { device } = this.person(who);
    const read = this.#read.get(who) ?? new Set();
    // The last ones again: what they are shown as may have changed.
    const last = this.room.posts.length - 4;
    for (const index of this.room.posts.keys()) {
      if (read.has(index) && index < last) continue;
      const shown = await this.room.read(device, index);
      this.#tally(/\((?<trust>\w+)\)/.exec(shown)?.groups?.['trust'] ?? shown);
      if (shown.includes('(verified)')) this.#wrong(`${who} is shown as verified: ${shown}`);
      if (shown.startsWith('evil') && !shown.startsWith('evil (changed)')) {
        this.#wrong(`${who} is shown ${shown}`);
      }
      const isGenuine = !this.#evilPosts.has(index);
      const isClear = !this.#liedTo.has(who) && (await device.splitView()) === null;
      if (isGenuine && isClear && !/^(by|I am) .*\((new|pinned)\)$/.test(shown)) {
        this.#wrong(`${who} is shown ${shown} at ${index}`);
      }
      if (isGenuine && shown.includes('(')) read.add(index);
    }
  }

  /** Looks at everybody: whom one knows has no card more that is trusted. */
  async #look(who: Name): Promise<void> {
    for (const about of NAMES) {
      await this.#try(who, 'look', async ({ device, heard }) => {
        await device.cards.find(about);
        const cards = await device.safetyNumbers.trustOf(about);
        const told = idsIn(about === who ? heard.ownCardUnknown : heard.keyChanged);
        for (const { holder } of this.#evils) {
          const shown = cards.find(({ cardId }) => cardId === holder.card.id);
          if (!shown) continue;
          this.#tally('a planted card');
          if (shown.trust !== 'changed') this.#wrong(`${who} trusts a planted card of ${about}`);
          if (!told.includes(shown.cardId)) this.#wrong(`${who} was not told of ${about}`);
        }
      });
    }
  }

  async #add(who: Name): Promise<void> {
    await this.#try(who, 'add', async ({ device }) => {
      const other = await this.server.open(who);
      this.#others.set(who, [...(this.#others.get(who) ?? []), other]);
      await device.devices.list();
      await device.acknowledge(who, [other.device.card().id]);
    });
  }

  async #revoke(who: Name): Promise<void> {
    const other = this.#others.get(who)?.at(-1);
    if (!other) return;
    await this.#try(who, 'revoke', async ({ device }) => {
      const { id } = other.device.card();
      const logged = await device.devices.list();
      if (logged.some(({ cardId }) => cardId === id)) await device.devices.revoke(id);
    });
  }

  async #restart(who: Name): Promise<void> {
    if (!this.#liedTo.has(who)) this.#unlogged.delete(who);
    const before = this.person(who);
    before.device.close();
    const [opened] = await Promise.allSettled([this.server.restart(before)]);
    if (opened.status === 'fulfilled') {
      this.#people.set(who, opened.value);
      this.#tally('restart');
      return;
    }
    // Whoever cannot open their device with this server waits for one that says something else.
    const error: unknown = opened.reason;
    if (!isEncryptionError(error)) this.#wrong(`restart of ${who}: ${String(error)}`);
    else if (!this.#liedTo.has(who)) this.#wrong(`restart of ${who}: ${error.code}`);
    this.server.tell(() => ({}), who);
    this.#liedTo.delete(who);
    this.#people.set(who, await this.server.restart(before));
  }

  /** Somebody whom nobody knows, with cards of the server’s making or without. */
  async #meet(who: Name): Promise<void> {
    const name = await this.#publishSomebody();
    const room = new Room(who, name);
    await this.#try(who, 'meet', ({ device }) => room.send(device, 'hello'));
    const { device } = this.person(who);
    if ((await device.splitView()) !== null && room.posts.length > 0) {
      this.#wrong(`${who} trusts somebody new after a split view`);
    }
  }

  async #publishSomebody(): Promise<string> {
    const name = `somebody ${this.server.truth.log.size}`;
    await this.server.truth.publish(exportCard((await person(name)).card));
    return name;
  }

  async #plant(about: Name, to: Name | 'all'): Promise<void> {
    const holder = await forged(about);
    this.#evils.push({ holder, about, for: to });
    if (to === 'all') {
      await this.server.truth.publish(exportCard(holder.card));
      return;
    }
    const fork = await Fork.of(this.server.truth);
    await fork.publish(exportCard(holder.card));
    this.#tell(to, showing(fork));
  }

  /** Somebody writes under the newest planted card. */
  async #write(to: Name): Promise<void> {
    const evil = this.#evils.at(-1);
    if (!evil) return;
    const { truth } = this.server;
    const reader = { ...evil.holder, card: this.person(to).device.card() };
    const text = await seal(evil.holder, [reader], 'evil', {
      channelSid: this.room.sid,
      head: await truth.log.head(Date.now()),
    });
    this.#evilPosts.add(this.room.put(evil.about, text));
  }

  #lie(which: (typeof LIES)[number]): Lie {
    const { truth } = this.server;
    switch (which) {
      case 'proves nothing':
        return finding(({ entries }) => ({ entries, proof: { siblings: [], other: null } }));
      case 'replays': {
        const { size } = truth.log;
        return answering(async (answer, identities) => ({
          ...answer,
          lookup: lookupToJson(await truth.log.lookup(identities, size - 1)),
        }));
      }
      case 'refuses':
        return () => ({ lookup: refused, lookupAt: refused, consistency: refused });
      case 'disproves':
        return (honest) => ({
          lookup: async (identities, from) => ({
            ...(await honest.lookup(identities, from)),
            consistency: [Buffer.from(random(32)).toString('base64url')],
          }),
        });
      case 'approves nothing':
        return () => ({ publish: (card) => Promise.resolve(card) });
      case 'logs nothing':
        return () => ({
          publish: (card) => new LoggedDirectory().publish(card),
          revoke: () => Promise.resolve(),
        });
      case 'has no cards':
        return () => ({ get: () => Promise.resolve(null) });
    }
  }

  /** Nothing was encrypted for a key of the server’s: whom they are about, all know. */
  async #check(): Promise<void> {
    for (const { holder, about } of this.#evils) {
      for (const index of this.room.readableWith(holder.encryptionSecret, this.#checked)) {
        const author = this.room.posts[index]?.author ?? '';
        if (author !== about) this.#wrong(`${author} encrypted for a planted card of ${about}`);
        else this.#wrong(`${author} encrypted for a planted card in their own name`);
      }
    }
    this.#checked = this.room.posts.length;
    for (const name of NAMES) {
      const { device, heard } = this.person(name);
      const [told] = heard.splitView;
      if (told && (await device.splitView()) === null) this.#tally('a split view that was none');
      else if (told) this.#tally('a split view');
    }
  }
}

function refused(): Promise<never> {
  return Promise.reject(new EncryptionError('DIRECTORY_REFUSED', 'No.'));
}

function idsIn(events: readonly DeviceEvents['keyChanged'][]): readonly CardId[] {
  return events.flatMap(({ cardIds }) => cardIds);
}
