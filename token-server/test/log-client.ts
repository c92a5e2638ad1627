import {
  base64url,
  createRevocation,
  decodeHead,
  exportCard,
  lookupFromJson,
  verifyConsistency,
  verifyHead,
  verifyLookup,
  type Bytes,
  type Card,
  type EntryWithContent,
  type Identity,
  type IdentityHistory,
  type LogHead,
  type RevocationContent,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Device } from './keeper.ts';
import type { Witness } from './log-witness.ts';
import type { Served } from './served.ts';
import { requester, secret, type Reply } from './support.ts';

/** What a client has from its application. */
export interface ClientParts {
  readonly identity: Identity;
  /** All of one database. Each request says which one it goes to, if that one is up. */
  readonly servers: readonly Served[];
  readonly logKey: VerifyingKey;
  readonly appKey: VerifyingKey;
  readonly witness: Witness;
}

/** Somebody who looked for himself earlier. */
interface Memory {
  readonly head: LogHead;
  readonly own: readonly EntryWithContent[];
}

// Requests are counted by address.
let addresses = 0;

/**
 * Somebody at a device who believes no server: keeps the newest head, wants each answer to be shown
 * under one that grew out of it, and tells the witness of everything that he was told.
 */
export class LogClient {
  readonly identity: Identity;
  readonly #parts: ClientParts;
  readonly #headers: Record<string, string>;
  #session = '';
  #newest: Memory | null = null;
  readonly #earlier: Memory[] = [];

  private constructor(parts: ClientParts) {
    this.identity = parts.identity;
    this.#parts = parts;
    addresses += 1;
    this.#headers = { 'x-forwarded-for': `10.1.${(addresses >> 8) & 255}.${addresses & 255}` };
  }

  /** Signs up, and in. */
  static async signUp(parts: ClientParts): Promise<LogClient> {
    const client = new LogClient(parts);
    const body = { identity: parts.identity, authSecret: secret() };
    expect((await client.#ask(0, 'POST', '/v1/accounts', body)).status).toBe(201);
    const { json } = await client.#ask(0, 'POST', '/v1/sessions', body);
    client.#session = z.string().parse(json['token']);
    return client;
  }

  /** Another client of the same person, as at another device. */
  another(): LogClient {
    const client = new LogClient(this.#parts);
    client.#session = this.#session;
    return client;
  }

  /**
   * Publishes a card, and repeats it until there is an answer.
   *
   * @returns the code of the refusal, or null when it is published
   */
  async publish(server: number, card: Card): Promise<string | null> {
    const reply = await this.#ask(server, 'POST', '/v1/cards', { card: exportCard(card) });
    return this.#published(reply, card);
  }

  /** Tries it once. Undefined when there was no answer: then nobody knows whether it is published. */
  async tryToPublish(server: number, card: Card): Promise<string | null | undefined> {
    const reply = await this.#try(server, 'POST', '/v1/cards', { card: exportCard(card) });
    return reply && this.#published(reply, card);
  }

  #published({ status, json }: Reply, card: Card): string | null {
    if (status !== 201) return z.string().parse(json['code']);
    this.#parts.witness.published(card.id, z.int().parse(json['logIndex']));
    return null;
  }

  /** Revokes a card likewise, signed by a device of his. */
  async revoke(
    server: number,
    content: Omit<RevocationContent, 'signer'>,
    by: Device,
  ): Promise<string | null> {
    const signed = { ...content, signer: by.card.id };
    const revocation = await createRevocation(signed, by.key);
    const path = `/v1/cards/${content.cardId}/revocation`;
    const { status, json } = await this.#ask(server, 'POST', path, { revocation });
    if (status !== 200) return z.string().parse(json['code']);
    this.#parts.witness.revoked(this.identity, signed);
    return null;
  }

  /** Everything about himself and others that the newest head shows. */
  async lookUp(
    server: number,
    others: readonly Identity[] = [],
  ): Promise<ReadonlyMap<Identity, IdentityHistory>> {
    const { logKey, appKey, witness } = this.#parts;
    const { acknowledged } = witness;
    const identities = [this.identity, ...others.filter((other) => other !== this.identity)];
    const body = { identities, from: this.#newest?.head.size ?? 0 };
    const { json } = await this.#ask(server, 'POST', '/v1/cards/search', body);
    const head = decodeHead(bytes(json['head']));
    const lookup = lookupFromJson(json['lookup']);
    if (!head || !lookup) throw new Error('The answer is no lookup.');
    expect(await verifyHead(logKey, head)).toBe(true);
    witness.saw(head, acknowledged);
    if (this.#newest) {
      const proof = z.array(z.string()).parse(json['consistency']).map(bytes);
      expect(verifyConsistency(this.#newest.head, head, proof)).toBe(true);
      this.#earlier.push(this.#newest);
    }
    const context = { logKey, appKeys: [appKey], head, identities };
    const histories = await verifyLookup(lookup, context);
    for (const { invalid } of histories.values()) expect(invalid).toBe(0);
    const own = lookup.found[0]?.entries ?? [];
    // What was shown once is the beginning of what is shown now.
    if (this.#newest) expect(own.slice(0, this.#newest.own.length)).toEqual(this.#newest.own);
    this.#newest = { head, own };
    return histories;
  }

  /** Asks for himself under a head that he saw earlier, and is shown the same as then. */
  async lookBack(server: number, which: number): Promise<void> {
    const memory = this.#earlier[which % this.#earlier.length];
    if (!memory) return;
    const { logKey, appKey } = this.#parts;
    const { head, own } = memory;
    const identity = encodeURIComponent(this.identity);
    const path = `/v1/log/map?identity=${identity}&size=${head.size}`;
    const lookup = lookupFromJson((await this.#ask(server, 'GET', path)).json['lookup']);
    if (!lookup) throw new Error('The answer is no lookup.');
    await verifyLookup(lookup, { logKey, appKeys: [appKey], head, identities: [this.identity] });
    expect(lookup.found[0]?.entries).toEqual(own);
  }

  /** Asks until there is an answer. */
  async #ask(server: number, method: string, path: string, body?: unknown): Promise<Reply> {
    for (;;) {
      const reply = await this.#try(server, method, path, body);
      if (reply) return reply;
    }
  }

  async #try(
    server: number,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Reply | undefined> {
    const { servers } = this.#parts;
    // The others stand in for one that is down.
    const inOrder = [...servers.slice(server), ...servers.slice(0, server)];
    const url = await Promise.race(inOrder.map((one) => one.url));
    const options = {
      headers: this.#headers,
      session: this.#session,
      ...(body !== undefined && { body }),
    };
    try {
      const reply = await requester(url)(method, path, options);
      // Limits are not what is tested here, and nobody waits for them.
      expect(reply.status).not.toBe(429);
      expect(reply.status).toBeLessThan(500);
      return reply;
    } catch (error) {
      // This is how `fetch` says that the connection is gone.
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }
}

function bytes(text: unknown): Bytes {
  return base64url.decode(z.string().parse(text)) ?? new Uint8Array();
}
