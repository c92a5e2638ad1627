/** Servers that are killed while people publish. */
import { randomInt } from 'node:crypto';
import { parseIdentity, succeedCard } from 'twilio-chat-encryption/protocol';
import { describe, expect, inject, test } from 'vitest';
import { openStore } from '../src/index.ts';
import { DATABASES } from './databases.ts';
import {
  createKeeper,
  makeDevice,
  seedsOf,
  type Device,
  type Keeper,
  type Seeds,
} from './keeper.ts';
import { LogClient } from './log-client.ts';
import { Witness } from './log-witness.ts';
import { Served } from './served.ts';
import { environment } from './support.ts';

const isLong = inject('longRuns');
/** In each, both servers are killed. */
const ROUNDS = 3;
const HISTORIES = isLong ? 170 : 1;
const PEOPLE = ['alice', 'bob', 'čeněk', 'dora'].map((name) => parseIdentity(name));

/** Somebody who goes on publishing, replacing and revoking cards, whatever becomes of the servers. */
class Publisher {
  readonly #client: LogClient;
  #isOver = false;

  constructor(client: LogClient) {
    this.#client = client;
  }

  /** Until he is stopped. */
  async run(): Promise<void> {
    for (let round = 0; !this.#isOver; round += 1) {
      const server = round % 2;
      const first = await this.#publish(server, await makeDevice(this.#client.identity));
      if (first) await this.#replace(server, first);
      await this.#client.lookUp(server);
      await this.#client.lookBack(server, round);
    }
    await this.#client.lookUp(0, PEOPLE);
  }

  stop(): void {
    this.#isOver = true;
  }

  async #replace(server: number, first: Device): Promise<void> {
    const made = await makeDevice(this.#client.identity, first.card);
    const card = await succeedCard(made.card, first.key);
    const second = await this.#publish(server, { ...made, card });
    // Whether or not it was replaced; and what replaced it must go, if it did, or there are too many.
    const last = second ?? first;
    const content = { cardId: last.card.id, reason: 'retired', revokedAt: 5 } as const;
    expect(await this.#client.revoke(server, content, last)).toBeNull();
  }

  /** Without an answer he gives up some cards, and repeats others. */
  async #publish(server: number, device: Device): Promise<Device | null> {
    const code = await this.#client.tryToPublish(server, device.card);
    if (code === undefined && randomInt(2) === 0) return null;
    expect(code ?? (await this.#client.publish(1 - server, device.card))).toBeNull();
    return device;
  }
}

/** One database with two servers, through all their deaths. */
class History {
  readonly #witness = new Witness();
  readonly #url: string;
  readonly #seeds: Seeds;
  readonly #servers: readonly Served[];

  constructor(url: string) {
    const env: Record<string, string> = { ...environment(), DATABASE_URL: url };
    this.#url = url;
    this.#seeds = seedsOf(env);
    this.#servers = [new Served(env), new Served(env)];
  }

  async run(): Promise<void> {
    const publishers = await this.#signUp();
    const publishing = Promise.all(publishers.map((publisher) => publisher.run()));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const server of this.#servers) {
        await Promise.race([this.#witness.more(1 + randomInt(10)), publishing]);
        // A moment of its own: what was acknowledged last is not what it dies of.
        await new Promise((resolve) => setTimeout(resolve, randomInt(10)));
        await server.end('SIGKILL');
      }
      await this.#check();
      for (const server of this.#servers) server.start();
    }
    for (const publisher of publishers) publisher.stop();
    await publishing;
    await this.#check();
    for (const server of this.#servers) await server.end('SIGKILL');
    expect(this.#servers.flatMap(({ errors }) => errors)).toEqual([]);
  }

  async #signUp(): Promise<readonly Publisher[]> {
    const { logKey, appKey } = await this.#withKeeper((keeper) => Promise.resolve(keeper));
    const parts = { servers: this.#servers, logKey, appKey, witness: this.#witness };
    return Promise.all(
      PEOPLE.map(async (identity) => new Publisher(await LogClient.signUp({ ...parts, identity }))),
    );
  }

  #check(): Promise<void> {
    return this.#withKeeper((keeper) => this.#witness.check(keeper));
  }

  /** Opened each time, so that it has to be able to after a crash. */
  async #withKeeper<T>(work: (keeper: Keeper) => Promise<T>): Promise<T> {
    const { store } = await openStore(this.#url);
    try {
      return await work(await createKeeper(store, this.#seeds));
    } finally {
      await store.close();
    }
  }
}

describe.each(DATABASES)('$name', ({ create }) => {
  test(
    'has all that was acknowledged, and nothing half, whenever servers are killed',
    { timeout: isLong ? 7_200_000 : 90_000 },
    async () => {
      for (let history = 0; history < HISTORIES; history += 1) {
        await new History(await create()).run();
      }
    },
  );
});
