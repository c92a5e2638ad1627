import {
  base64url,
  decodeEntry,
  encodeLeaf,
  hashLeaf,
  parseRevocation,
  verifyInclusion,
  type CardId,
  type Identity,
  type LogHead,
  type Revocation,
  type RevocationContent,
} from 'twilio-chat-encryption/protocol';
import { expect } from 'vitest';
import { findingsOf, type Keeper } from './keeper.ts';

/** A card of which a server said that it is published. */
interface Acknowledged {
  readonly cardId: CardId;
  readonly logIndex: number;
}

/** A head, and how much had been acknowledged, to anybody, before it was asked for. */
interface Seen {
  readonly head: LogHead;
  readonly cards: number;
}

/** What all clients of some servers were told, in the order in which they were. */
export class Witness {
  readonly #cards: Acknowledged[] = [];
  readonly #revocations: { identity: Identity; content: Partial<RevocationContent> }[] = [];
  readonly #seen: Seen[] = [];
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** How many cards were acknowledged so far. */
  get acknowledged(): number {
    return this.#cards.length;
  }

  published(cardId: CardId, logIndex: number): void {
    this.#cards.push({ cardId, logIndex });
    for (const { count, resolve } of this.#waiting) if (count <= this.#cards.length) resolve();
  }

  /** Resolves when so many more cards were acknowledged. */
  more(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ count: this.#cards.length + count, resolve });
    });
  }

  revoked(identity: Identity, content: Partial<RevocationContent>): void {
    this.#revocations.push({ identity, content });
  }

  /** @param cards - how many were acknowledged before the head was asked for */
  saw(head: LogHead, cards: number): void {
    this.#seen.push({ head, cards });
  }

  /** Expects the log, and what is stored beside it, to be what everybody was told. */
  async check(keeper: Keeper): Promise<void> {
    const heads = this.#seen.map(({ head }) => head);
    expectOneRootEach(heads);
    expect(await findingsOf(keeper, heads)).toEqual([]);
    await this.#checkCards(keeper);
    for (const { identity, content } of this.#revocations) {
      expect(await revocationsOf(keeper, identity)).toContainEqual(
        expect.objectContaining(content),
      );
    }
  }

  async #checkCards({ store, log }: Keeper): Promise<void> {
    for (const [number, { cardId, logIndex }] of this.#cards.entries()) {
      const stored = await store.log.entry(logIndex);
      const [entry, mapRoot] = [stored?.entry, stored?.mapRoot].map((text) =>
        base64url.decode(text ?? ''),
      );
      if (!entry || !mapRoot) throw new Error(`There is no entry ${logIndex}.`);
      expect(decodeEntry(entry)).toMatchObject({ operation: 'approve', cardId });
      // With what is in the log the audit has compared it.
      expect(await store.findCard(cardId)).not.toBeNull();
      const hash = hashLeaf(encodeLeaf(entry, mapRoot));
      const later = this.#seen.filter(({ cards }) => cards > number).map(({ head }) => head);
      for (const { size, root } of oneEach(later)) {
        expect(size).toBeGreaterThan(logIndex);
        const proof = (await log.inclusion(logIndex, size)).map(
          (text) => base64url.decode(text) ?? new Uint8Array(),
        );
        expect(verifyInclusion(hash, logIndex, size, proof, root)).toBe(true);
      }
    }
  }
}

function expectOneRootEach(heads: readonly LogHead[]): void {
  for (const same of Map.groupBy(heads, ({ size }) => size).values()) {
    expect(new Set(same.map(({ root }) => base64url.encode(root))).size).toBe(1);
  }
}

function oneEach(heads: readonly LogHead[]): Iterable<LogHead> {
  return new Map(heads.map((head) => [head.size, head])).values();
}

/** All revocations of somebody's cards in the log. */
async function revocationsOf({ store }: Keeper, identity: Identity): Promise<Revocation[]> {
  const entries = await store.log.entriesOf([identity], await store.log.size());
  return entries
    .filter(
      ({ entry }) =>
        decodeEntry(base64url.decode(entry) ?? new Uint8Array())?.operation === 'revoke',
    )
    .map(({ content }) => parseRevocation(content));
}
