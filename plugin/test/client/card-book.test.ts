import { describe, expect, test } from 'vitest';
import {
  createCard,
  curves,
  EncryptionError,
  exportCard,
  parseCardId,
  parseIdentity,
  type CardId,
  type Identity,
} from 'twilio-chat-encryption/protocol';
import type { ProvenHistory, ProvenLookup } from '../../src/client/card-log.ts';
import { cardBook, type CardBook, type CardSource } from '../../src/client/card-book.ts';
import { codeOf } from '../outcomes.ts';
import { answerOf, historyOf } from './histories.ts';
import { APP_KEY, person } from '../protocol/people.ts';

const appKey = await (await curves()).importVerifyingKey(APP_KEY.publicKey);
const [phone, laptop, carol] = [await person('bob'), await person('bob'), await person('carol')];
const bob = parseIdentity('bob');
const MINUTES = 60_000;

const unapproved = exportCard(
  await createCard({ identity: bob, createdAt: 1 }, phone.signingKey, phone.encryptionKey),
);

/** A log that answers what it is told to, and its book on a clock that is set by hand. */
class Library implements CardSource {
  answers = new Map<string, ProvenHistory>();
  answerAfter: Promise<void> = Promise.resolve();
  byId = new Map<string, string>();
  failure: Error | undefined;
  now = 0;
  readonly asked: (readonly Identity[])[] = [];
  readonly got: CardId[] = [];
  readonly book: CardBook = cardBook(this, [appKey], () => this.now);

  async lookUp(identities: readonly Identity[]): Promise<ProvenLookup> {
    this.asked.push(identities);
    const { answers } = this;
    await this.answerAfter;
    if (this.failure) throw this.failure;
    return answerOf(identities, (one) => answers.get(one) ?? historyOf([]));
  }

  get(id: CardId): Promise<string | null> {
    this.got.push(id);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(this.byId.get(id) ?? null);
  }
}

async function findBob(library: Library): Promise<{ ids: CardId[]; invalid: number }> {
  const found = (await library.book.find([bob])).get(bob);
  return { ids: (found?.cards ?? []).map(({ id }) => id), invalid: found?.invalid ?? NaN };
}

describe('finding cards', () => {
  test('gives all of an identity’s', async () => {
    const library = new Library();
    library.answers.set('bob', historyOf([phone.card, laptop.card]));
    expect(await findBob(library)).toEqual({ ids: [phone.card.id, laptop.card.id], invalid: 0 });
  });

  test('gives none for an identity that has none', async () => {
    expect(await findBob(new Library())).toEqual({ ids: [], invalid: 0 });
  });

  test('gives the live ones, and says how many entries do not check', async () => {
    const library = new Library();
    const { cards, ...history } = historyOf([phone.card, laptop.card], 4);
    const [first, second] = cards;
    if (!first || !second) throw new Error('There are no cards.');
    const revoked = { ...first, status: 'revoked', endedAt: 5, reason: 'retired' } as const;
    library.answers.set('bob', { ...history, cards: [revoked, second] });
    expect(await findBob(library)).toEqual({ ids: [laptop.card.id], invalid: 4 });
    expect(library.book.stateOf(phone.card.id)).toEqual(revoked);
    // Who wrote with it once can still be read.
    expect((await library.book.get(phone.card.id)).id).toBe(phone.card.id);
    expect(library.got).toEqual([]);
  });

  test('drops a card of another identity', async () => {
    const library = new Library();
    library.answers.set('bob', historyOf([carol.card, phone.card]));
    expect((await findBob(library)).ids).toEqual([phone.card.id]);
  });

  test('asks again when the clock was set back', async () => {
    const library = new Library();
    library.now = 10 * MINUTES;
    await findBob(library);
    library.now = 9 * MINUTES;
    await findBob(library);
    expect(library.asked).toHaveLength(2);
  });

  test('trusts an answer for five minutes', async () => {
    const library = new Library();
    await findBob(library);
    library.answers.set('bob', historyOf([phone.card]));
    library.now = 5 * MINUTES - 1;
    expect((await findBob(library)).ids).toEqual([]);
    library.now += 1;
    expect((await findBob(library)).ids).toEqual([phone.card.id]);
    expect(library.asked).toHaveLength(2);
  });

  test('asks only for what it does not know, and again after a refresh', async () => {
    const library = new Library();
    await library.book.find([bob]);
    await library.book.find([bob, carol.card.identity]);
    expect(library.asked).toEqual([[bob], [carol.card.identity]]);
    library.book.refresh(bob);
    await library.book.find([bob, carol.card.identity]);
    expect(library.asked.at(-1)).toEqual([bob]);
  });

  test('asks whatever it knows when it is told to, and what it knows is younger then', async () => {
    const library = new Library();
    expect(library.book.foundAt(bob)).toBe(-Infinity);
    await findBob(library);
    library.now = 4 * MINUTES;
    await library.book.ask([bob]);
    expect(library.book.foundAt(bob)).toBe(4 * MINUTES);
    library.now = 8 * MINUTES;
    await findBob(library);
    expect(library.asked).toHaveLength(2);
  });

  test('does not go back to an older answer that comes later', async () => {
    const library = new Library();
    let answerFirst: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (answerFirst = resolve));
    library.answerAfter = late;
    const first = library.book.ask([bob]);
    library.answerAfter = Promise.resolve();
    library.now = MINUTES;
    library.answers = new Map([['bob', historyOf([phone.card])]]);
    await library.book.ask([bob]);
    answerFirst();
    await first;
    expect(library.book.known(bob).map(({ id }) => id)).toEqual([phone.card.id]);
    expect(library.book.foundAt(bob)).toBe(MINUTES);
  });

  test('asks for many in parts, so that an answer stays within bounds', async () => {
    const library = new Library();
    const many = Array.from({ length: 250 }, (_, index) => parseIdentity(`user ${index}`));
    expect((await library.book.find(many)).size).toBe(250);
    expect(library.asked.flat()).toEqual(many);
    expect(Math.max(...library.asked.map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test('passes the directory’s error on, and keeps nothing of it', async () => {
    const library = new Library();
    library.failure = new EncryptionError('DIRECTORY_UNREACHABLE', 'No.');
    expect(await codeOf(library.book.find([bob]))).toBe('DIRECTORY_UNREACHABLE');
    library.failure = undefined;
    library.answers.set('bob', historyOf([phone.card]));
    expect((await findBob(library)).ids).toEqual([phone.card.id]);
  });
});

describe('getting a card by its id', () => {
  test('gives it, and asks once', async () => {
    const library = new Library();
    library.byId.set(phone.card.id, exportCard(phone.card));
    library.answers.set('bob', historyOf([phone.card]));
    expect((await library.book.get(phone.card.id)).id).toBe(phone.card.id);
    await library.book.get(phone.card.id);
    expect(library.got).toHaveLength(1);
  });

  test('does not ask for a card that was found', async () => {
    const library = new Library();
    library.answers.set('bob', historyOf([phone.card]));
    await findBob(library);
    expect((await library.book.get(phone.card.id)).identity).toBe(bob);
    expect(library.got).toEqual([]);
  });

  test('refuses another card than the one asked for', async () => {
    const library = new Library();
    library.byId.set(phone.card.id, exportCard(laptop.card));
    expect(await codeOf(library.book.get(phone.card.id))).toBe('CARD_INVALID');
  });

  test('refuses one that the directory shows to this device, and the log does not have', async () => {
    const library = new Library();
    library.byId.set(phone.card.id, exportCard(phone.card));
    library.answers.set('bob', historyOf([laptop.card]));
    expect(await codeOf(library.book.get(phone.card.id))).toBe('CARD_INVALID');
  });

  test('refuses a card that is not there, not approved, or no card', async () => {
    const library = new Library();
    const id = parseCardId('ab'.repeat(32));
    expect(await codeOf(library.book.get(id))).toBe('CARD_NOT_FOUND');
    library.byId.set(phone.card.id, unapproved);
    expect(await codeOf(library.book.get(phone.card.id))).toBe('CARD_INVALID');
    library.byId.set(id, '<html>');
    expect(await codeOf(library.book.get(id))).toBe('CARD_INVALID');
  });

  test('passes the directory’s error on, and asks again the next time', async () => {
    const library = new Library();
    library.failure = new EncryptionError('DIRECTORY_UNREACHABLE', 'No.');
    expect(await codeOf(library.book.get(phone.card.id))).toBe('DIRECTORY_UNREACHABLE');
    library.failure = undefined;
    library.byId.set(phone.card.id, exportCard(phone.card));
    library.answers.set('bob', historyOf([phone.card]));
    expect((await library.book.get(phone.card.id)).id).toBe(phone.card.id);
  });
});

describe('people who were found under several heads', () => {
  const dave = parseIdentity('dave');
  const carols = parseIdentity('carol');

  /** Bob found when the log had five entries, and Carol when it had seven. */
  async function found(): Promise<Library> {
    const library = new Library();
    library.answers.set('bob', historyOf([phone.card], 0, 5));
    await library.book.find([bob]);
    library.answers.set('carol', historyOf([carol.card], 0, 7));
    await library.book.find([carols]);
    library.asked.length = 0;
    return library;
  }
  const sizesOf = async (library: Library, isCarried: (size: number) => boolean) => {
    const answer = await library.book.find([bob, carols], ({ size }) => isCarried(size));
    return [...answer.values()].map(({ head }) => head.size);
  };

  test('are looked up together, if the members were told of neither', async () => {
    const library = await found();
    expect(await sizesOf(library, () => false)).toEqual([7, 7]);
    expect(library.asked).toEqual([[bob, carols]]);
    // Now there is one head to tell of.
    expect(await sizesOf(library, () => false)).toEqual([7, 7]);
    expect(library.asked).toHaveLength(1);
  });

  test('are not asked for again if the members were told of all heads but one', async () => {
    const library = await found();
    expect(await sizesOf(library, (size) => size === 5)).toEqual([5, 7]);
    expect(await sizesOf(library, () => true)).toEqual([5, 7]);
    expect(library.asked).toEqual([]);
  });

  test('are looked up with somebody who was never found', async () => {
    const library = await found();
    await library.book.find([bob, dave], () => false);
    expect(library.asked).toEqual([[dave, bob]]);
    await library.book.find([bob, dave], () => true);
    expect(library.asked).toHaveLength(1);
  });

  test('are told of one after the other when they are too many for one request', async () => {
    const library = await found();
    const many = Array.from({ length: 30 }, (_, at) => parseIdentity(`member ${at}`));
    await library.book.find([bob, ...many], () => false);
    expect(library.asked).toEqual([many]);
  });
});
