import { expect } from 'vitest';
import { run } from './command-line.ts';
import { liveCards } from './live-cards.ts';
import { makeCard, signUp, start, temporaryFolder, type Harness } from './support.ts';

/** A server to which people sign up and publish all the time. */
export interface BusyServer {
  readonly server: Harness;
  /** Who was told that their card is published, so far. */
  readonly acknowledged: () => readonly string[];
  /** Resolves when so many more are. */
  readonly more: (count: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const many = { points: 1e6, seconds: 60 };

/** Starts one on a database. */
export async function busyServer(url: string): Promise<BusyServer> {
  const rateLimits = { routeByAddress: many, signUpByAddress: many, signInByAddress: many };
  const server = await start({ DATABASE_URL: url }, { rateLimits });
  const acknowledged: string[] = [];
  let isStopped = false;
  async function publishOn(lane: number): Promise<void> {
    for (let count = 0; !isStopped; count++) {
      const identity = `person ${lane}.${count}`;
      const { session } = await signUp(server, identity);
      const body = { card: await makeCard(identity) };
      const { status } = await server.request('POST', '/v1/cards', { session, body });
      expect(status).toBe(201);
      acknowledged.push(identity);
    }
  }
  const lanes = Promise.all([1, 2, 3, 4].map(publishOn));
  return {
    server,
    acknowledged: () => [...acknowledged],
    async more(count) {
      const goal = acknowledged.length + count;
      await expect.poll(() => acknowledged.length).toBeGreaterThanOrEqual(goal);
    },
    async stop() {
      isStopped = true;
      await lanes;
    },
  };
}

/**
 * Copies the database while people publish: as often as it takes for one of them to be answered in
 * the middle of it.
 *
 * @returns who was answered before the copy was begun
 */
export async function copyBusily(
  busy: BusyServer,
  copy: (attempt: number) => Promise<unknown>,
): Promise<{ readonly before: readonly string[]; readonly attempt: number }> {
  for (let attempt = 1; attempt <= 20; attempt++) {
    const before = busy.acknowledged();
    await copy(attempt);
    if (busy.acknowledged().length > before.length) return { before, attempt };
    await busy.more(1);
  }
  throw new Error('Nobody published while the database was copied');
}

/** Checks a restored database: the log verifies, everybody of these is there, and it works on. */
export async function expectRestored(
  env: Readonly<Record<string, string>>,
  acknowledged: readonly string[],
): Promise<void> {
  const verified = await run(temporaryFolder(), ['log', 'verify'], { ...env });
  expect([verified.code, verified.stderr]).toEqual([0, '']);
  expect(verified.stdout).toContain('all is as it has to be');
  const checked = await run(temporaryFolder(), ['doctor'], { ...env });
  expect([checked.code, checked.stderr]).toEqual([0, '']);

  const server = await start({ ...env });
  const { session } = await signUp(server, 'newcomer');
  const found = await liveCards(server, session, acknowledged);
  expect(acknowledged.filter((identity) => found[identity]?.length !== 1)).toEqual([]);
  const body = { card: await makeCard('newcomer') };
  expect((await server.request('POST', '/v1/cards', { session, body })).status).toBe(201);
}
