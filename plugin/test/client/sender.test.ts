import { MemoryKeyStore } from 'twilio-chat-encryption';
import { describe, expect, test } from 'vitest';
import type { CardBook } from '../../src/client/card-book.ts';
import type { Pins } from '../../src/client/pins.ts';
import { sender, type Outlet, type Sender } from '../../src/client/sender.ts';
import { base64url, type Bytes } from '../../src/protocol/primitives.ts';
import type { Identity } from '../../src/protocol/identifiers.ts';
import { CHANNEL, person, random } from '../protocol/people.ts';

const alice = await person('alice');
const bob = await person('bob');

/** A sender that knows these people, all of them pinned, on a clock that the test sets. */
function senderOf(
  people: readonly (typeof bob)[],
  clock: { now: number },
  source = random,
): Sender {
  const cards: CardBook = {
    get: () => Promise.reject(new Error('not asked for')),
    find: (identities) =>
      Promise.resolve(
        new Map(
          identities.map((identity) => [
            identity,
            {
              cards: people.map(({ card }) => card).filter((card) => card.identity === identity),
              invalid: 0,
            },
          ]),
        ),
      ),
    known: () => [],
    refresh: () => undefined,
  };
  const pins: Pins = {
    knows: () => Promise.resolve(true),
    check: (_, found) => Promise.resolve(new Map(found.map(({ id }) => [id, 'pinned'] as const))),
    acknowledge: () => Promise.resolve([]),
  };
  const own = { ...alice, stateKey: random(32) };
  const keyStore = new MemoryKeyStore();
  return sender({
    own,
    keyStore,
    cards,
    pins,
    random: source,
    now: () => clock.now,
    keepSession: () => Promise.resolve(),
  });
}

/** Sends, and gives what was posted. */
async function seal(out: Sender, members: readonly Identity[]): Promise<string> {
  const posted: string[] = [];
  const outlet: Outlet = {
    channelSid: CHANNEL,
    limit: 32_768,
    members: () => Promise.resolve(members),
    post: (text) => Promise.resolve(posted.push(text) - 1),
    find: () => Promise.resolve(null),
  };
  await out.send(outlet, { body: 'x' });
  return posted.at(-1) ?? '';
}

function header(text: string): { ephemeral: string; slots: number } {
  const bytes = base64url.decode(text.slice(5)) ?? new Uint8Array();
  return {
    ephemeral: bytes.slice(20, 52).join(),
    slots: (bytes[52] ?? 0) * 256 + (bytes[53] ?? 0),
  };
}

const HOUR = 60 * 60_000;

describe('a sender', () => {
  test('uses an ephemeral key for an hour at most, and for a thousand messages', async () => {
    const clock = { now: 10 * HOUR };
    const out = senderOf([alice, bob], clock);
    const send = async (): Promise<string> =>
      header(await seal(out, [bob.card.identity])).ephemeral;
    const first = await send();
    clock.now += HOUR - 1;
    expect(await send()).toBe(first);
    clock.now += 1;
    const second = await send();
    expect(second).not.toBe(first);
    for (let count = 1; count < 1000; count += 1) await send();
    expect(await send()).not.toBe(second);
  });

  test('renews the ephemeral key when the clock was set back', async () => {
    const clock = { now: 10 * HOUR };
    const out = senderOf([alice, bob], clock);
    const first = header(await seal(out, [bob.card.identity]));
    clock.now -= 1;
    const second = header(await seal(out, [bob.card.identity]));
    expect(second.ephemeral).not.toBe(first.ephemeral);
  });

  test('gives a key one slot, whoever else put it on a card', async () => {
    // Nobody proves that the encryption key on a card is theirs.
    const mallory = await person('mallory', bob.encryptionSecret);
    const out = senderOf([alice, bob, mallory], { now: HOUR });
    const identities = [bob.card.identity, mallory.card.identity];
    expect(header(await seal(out, identities)).slots).toBe(2);
  });

  test('works again after making an ephemeral key failed once', async () => {
    let fails = true;
    const source = (length: number): Bytes => {
      // Only an ephemeral key is asked for as 32 bytes before anything else is.
      if (fails && length === 32) throw new DOMException('no entropy', 'OperationError');
      return random(length);
    };
    const out = senderOf([alice, bob], { now: HOUR }, source);
    await expect(seal(out, [bob.card.identity])).rejects.toThrow('no entropy');
    fails = false;
    expect(header(await seal(out, [bob.card.identity])).slots).toBe(2);
  });
});
