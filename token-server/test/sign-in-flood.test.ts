/** Whoever signs in makes the server work. Others must not wait for it. */
import { expect, test } from 'vitest';
import { createTurns } from '../src/domain/turns.ts';
import { openWatched } from './slow-request.ts';
import { makeCard, secret, signUp, start } from './support.ts';

test('many who sign in at once do not hold up who is signed in', async () => {
  const { store, reads } = await openWatched();
  const server = await start({}, { store, scryptCost: { logN: 13, r: 8, p: 1 } });
  const { session } = await signUp(server, 'alice');
  const card = await makeCard('alice');

  const before = reads();
  let refused = 0;
  const flood = Array.from({ length: 40 }, async (_, count) => {
    const body = { identity: `nobody ${count}`, authSecret: secret() };
    const { status } = await server.request('POST', '/v1/sessions', { body });
    if (status === 401) refused += 1;
  });
  // From here on all that is left to do is to hash.
  await expect.poll(reads).toBe(before + flood.length);
  const { status } = await server.request('POST', '/v1/cards', { session, body: { card } });
  const refusedBefore = refused;
  await Promise.all(flood);
  expect([status, refused]).toEqual([201, flood.length]);
  expect(refusedBefore).toBeLessThan(flood.length / 2);
});

test('only so many wait for their turn, each has one, and a failure ends it', async () => {
  const turns = createTurns(2, 3);
  const begun: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const done = ends.map(({ promise }, number) =>
    turns(() => {
      begun.push(number);
      return promise;
    }),
  );
  await expect(turns(() => Promise.resolve())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(begun).toEqual([0, 1]);

  ends[1]?.reject(new Error('failed'));
  await expect(done[1]).rejects.toThrow('failed');
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  for (const [number, { resolve }] of ends.entries()) resolve(number);
  expect(await Promise.all(done.filter((_, number) => number !== 1))).toEqual([0, 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(await turns(() => Promise.resolve('again'))).toBe('again');
});
