import {
  curves,
  endorseCard,
  parseIdentity,
  succeedCard,
  type Bytes,
  type CardId,
  type Identity,
  type LoggedCard,
} from 'twilio-chat-encryption/protocol';
import { expect } from 'vitest';
import { revokeAsApplication } from '../src/domain/revocations.ts';
import { openStore, ServerError } from '../src/index.ts';
import { createKeeper, makeDevice, seedsOf, type Device, type Keeper } from './keeper.ts';
import { LogClient } from './log-client.ts';
import { CLIENTS, type Action, type Plan, type Restart } from './log-plans.ts';
import { Witness } from './log-witness.ts';
import { Served } from './served.ts';
import { environment } from './support.ts';

const PEOPLE = ['alice', 'bob', 'čeněk'].map((name) => parseIdentity(name));

/** Why somebody may be refused: one of these cards has ended. Whatever comes later, it still has. */
interface Reason {
  readonly cards: readonly CardId[];
  readonly status: readonly LoggedCard['status'][];
}

/** What became of cards. */
type Statuses = ReadonlyMap<CardId, LoggedCard['status']>;

const ENDED = ['superseded', 'revoked'] as const;
const REVOKED = ['revoked'] as const;

/** Some people at their clients, on two servers, and what has to be true of what they are told. */
export class World {
  readonly #witness = new Witness();
  readonly #devices = new Map<Identity, Device[]>(PEOPLE.map((identity) => [identity, []]));
  readonly #revoked = new Set<CardId>();
  readonly #refusals: Reason[] = [];
  readonly #servers: readonly Served[];
  readonly #keeper: Keeper;
  readonly #appSeed: Bytes;
  readonly #restarts: readonly Restart[];
  readonly #restarting: Promise<void>[] = [];
  #done = 0;

  private constructor(
    servers: readonly Served[],
    keeper: Keeper,
    appSeed: Bytes,
    restarts: readonly Restart[],
  ) {
    this.#servers = servers;
    this.#keeper = keeper;
    this.#appSeed = appSeed;
    this.#restarts = restarts;
  }

  /** Lets them do all of it on an empty database. */
  static async run(url: string, { scripts, restarts }: Plan): Promise<void> {
    const env: Record<string, string> = { ...environment(), DATABASE_URL: url };
    const servers = [new Served(env), new Served(env)];
    const { store } = await openStore(url);
    try {
      const seeds = seedsOf(env);
      const world = new World(servers, await createKeeper(store, seeds), seeds.app, restarts);
      const clients = await world.#signUp();
      await Promise.all(
        clients.map(async (client, index) => {
          for (const one of scripts[index] ?? []) await world.#act(client, one);
        }),
      );
      await Promise.all(world.#restarting);
      await world.#check(clients);
    } finally {
      for (const server of servers) await server.end('SIGKILL');
      await store.close();
    }
  }

  async #signUp(): Promise<readonly LogClient[]> {
    const { logKey, appKey } = this.#keeper;
    const common = { servers: this.#servers, logKey, appKey, witness: this.#witness };
    const first = await Promise.all(
      PEOPLE.map((identity) => LogClient.signUp({ ...common, identity })),
    );
    return CLIENTS.flatMap((person) => first[person]?.another() ?? []);
  }

  async #act(client: LogClient, { kind, server, one, other, reason }: Action): Promise<void> {
    const own = this.#devices.get(client.identity) ?? [];
    const [first, second] = [own[one % own.length], own[other % own.length]];
    if (kind === 'publish' || !first || !second) await this.#publish(client, server);
    else if (kind === 'rotate') await this.#rotate(client, server, first);
    else if (kind === 'endorse') await this.#endorse(client, server, first);
    else if (kind === 'endorse later') await this.#endorseLater(client, server, first, second);
    else if (kind === 'revoke') await this.#revoke(client, server, reason, first, second);
    else if (kind === 'revoke as app') await this.#revokeAsApp(first, reason.reason);
    else await client.lookBack(server, other);
    await this.#lookUp(client, server);
    this.#done += 1;
    for (const restart of this.#plannedNow()) this.#restart(restart);
  }

  /** What became of all cards, with each revocation of which somebody was told before. */
  async #lookUp(client: LogClient, server: number): Promise<Statuses> {
    const revoked = [...this.#revoked];
    const histories = [...(await client.lookUp(server, PEOPLE)).values()];
    const statuses = new Map(
      histories.flatMap(({ cards }) => cards.map(({ card, status }) => [card.id, status])),
    );
    for (const id of revoked) expect(statuses.get(id)).toBe('revoked');
    return statuses;
  }

  async #publish(client: LogClient, server: number): Promise<void> {
    await this.#offer(client, server, await makeDevice(client.identity), {});
  }

  async #rotate(client: LogClient, server: number, { card, key }: Device): Promise<void> {
    const made = await makeDevice(client.identity, card);
    const device = { ...made, card: await succeedCard(made.card, key) };
    const LINK_INVALID = { cards: [card.id], status: ENDED };
    await this.#offer(client, server, device, { LINK_INVALID });
  }

  async #endorse(client: LogClient, server: number, { card, key }: Device): Promise<void> {
    const made = await makeDevice(client.identity);
    const endorsed = await endorseCard(made.card, { id: card.id, signingKey: key });
    const LINK_INVALID = { cards: [card.id], status: ENDED };
    await this.#offer(client, server, { ...made, card: endorsed }, { LINK_INVALID });
  }

  async #endorseLater(
    client: LogClient,
    server: number,
    { card }: Device,
    by: Device,
  ): Promise<void> {
    if (card.id === by.card.id) return;
    const endorsed = await endorseCard(card, { id: by.card.id, signingKey: by.key });
    const code = await client.publish(server, endorsed);
    const LINK_INVALID = { cards: [card.id, by.card.id], status: ENDED };
    if (code !== null) this.#refused(code, { LINK_INVALID });
  }

  async #offer(
    client: LogClient,
    server: number,
    device: Device,
    reasons: Readonly<Record<string, Reason>>,
  ): Promise<void> {
    const code = await client.publish(server, device.card);
    if (code === null) this.#devices.get(client.identity)?.push(device);
    else this.#refused(code, reasons);
  }

  async #revoke(
    client: LogClient,
    server: number,
    reason: Action['reason'],
    { card: { id: cardId } }: Device,
    by: Device,
  ): Promise<void> {
    const code = await client.revoke(server, { cardId, revokedAt: 5, ...reason }, by);
    if (code === null) {
      this.#revoked.add(cardId);
      return;
    }
    const isBySelf = by.card.id === cardId;
    this.#refused(code, {
      CARD_REVOKED: { cards: [cardId], status: REVOKED },
      ...(!isBySelf && { REVOCATION_INVALID: { cards: [by.card.id], status: ENDED } }),
    });
  }

  async #revokeAsApp({ card }: Device, reason: Action['reason']['reason']): Promise<void> {
    const { store, log } = this.#keeper;
    const appKey = await (await curves()).importSigningKey(this.#appSeed);
    const cardId = card.id;
    try {
      await revokeAsApplication({ store, log, now: Date.now, appKey }, cardId, reason);
      this.#witness.revoked(card.identity, { cardId, reason, signer: 'app' });
      this.#revoked.add(cardId);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      this.#refused(error.code, { CARD_REVOKED: { cards: [cardId], status: REVOKED } });
    }
  }

  #refused(code: string, reasons: Readonly<Record<string, Reason>>): void {
    const reason = reasons[code];
    if (!reason) throw new Error(`There is no reason for ${code}.`);
    this.#refusals.push(reason);
  }

  #plannedNow(): readonly Restart[] {
    return this.#restarts.filter(({ after }) => after === this.#done);
  }

  #restart({ server, signal }: Restart): void {
    const before = this.#restarting[server];
    const restart = async (): Promise<void> => {
      await before;
      await this.#servers[server]?.end(signal);
      this.#servers[server]?.start();
    };
    this.#restarting[server] = restart();
  }

  async #check(clients: readonly LogClient[]): Promise<void> {
    expect(this.#servers.flatMap(({ errors }) => errors)).toEqual([]);
    await this.#witness.check(this.#keeper);
    const published = [...this.#devices.values()].flat().map(({ card }) => card.id);
    for (const [index, client] of clients.entries()) {
      const statuses = await this.#lookUp(client, index % 2);
      expect([...statuses.keys()].toSorted()).toEqual(published.toSorted());
      for (const reason of this.#refusals) {
        const became = reason.cards.map((id) => statuses.get(id));
        expect(reason.status.some((one) => became.includes(one))).toBe(true);
      }
    }
  }
}
