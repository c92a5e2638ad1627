/** The server's clock jumps, and is set right again: nothing that was answered is lost, no session lives on. */
import { expect, test } from 'vitest';
import { openStore } from '../src/index.ts';
import { createKeeper, findingsOf, seedsOf } from './keeper.ts';
import { liveCards } from './live-cards.ts';
import { makeCard, signIn, signUp, start, temporaryFolder } from './support.ts';

const HOUR = 3_600_000;

test.each([
  ['a day ahead', 24 * HOUR],
  ['an hour back', -HOUR],
])('%s', async (_, jump) => {
  const url = `sqlite:${temporaryFolder()}/server.db`;
  const server = await start({ DATABASE_URL: url });
  const { session: before, authSecret } = await signUp(server, 'alice');
  const account = { identity: 'alice', authSecret };
  const published: unknown[] = [];
  const publish = async (session: string, createdAt: number): Promise<number> => {
    const card = await makeCard('alice', { createdAt });
    const { status, json } = await server.request('POST', '/v1/cards', { session, body: { card } });
    if (status === 201) published.push(json['card']);
    return status;
  };
  const statusOf = async (session: string): Promise<number> =>
    (await server.request('GET', '/v1/twilio-token', { session })).status;
  const right = server.clock.now;
  expect(await publish(before, right)).toBe(201);

  server.clock.now = right + jump;
  // A session of the future is none, as is one that ended; whoever signs in again goes on.
  expect(await statusOf(before)).toBe(401);
  const meanwhile = await signIn(server, account);
  expect(await statusOf(meanwhile)).toBe(200);
  // Devices whose clocks are right are of the future to a server that is late, and told so.
  expect(await publish(meanwhile, right)).toBe(jump > 0 ? 201 : 422);
  expect(await publish(meanwhile, right + jump)).toBe(201);

  server.clock.now = right + 1;
  // It is of tomorrow, or its hour is over.
  expect(await statusOf(meanwhile)).toBe(401);
  expect(await statusOf(before)).toBe(200);
  expect(await publish(before, right)).toBe(201);
  expect((await liveCards(server, before, ['alice']))['alice']).toEqual(published);

  const { store } = await openStore(url);
  try {
    // Times in the log are the server's word, and need not grow.
    expect(await findingsOf(await createKeeper(store, seedsOf(server.env)))).toEqual([]);
  } finally {
    await store.close();
  }
});
