/** The commands for cards and for the log, on the database of a server that runs. */
import Database from 'better-sqlite3';
import { importCard } from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { run, type Ended } from './command-line.ts';
import { liveCards } from './live-cards.ts';
import { makeCard, start, temporaryFolder, type Harness } from './support.ts';

/** A server with two cards of alice and one of bob, and commands with its environment. */
class World {
  readonly server: Harness;
  readonly session: string;
  readonly ids: readonly string[];
  readonly #folder = temporaryFolder();

  constructor(server: Harness, session: string, ids: readonly string[]) {
    this.server = server;
    this.session = session;
    this.ids = ids;
  }

  static async start(): Promise<World> {
    const server = await start();
    const ids: string[] = [];
    const sessions = [await server.session('alice'), await server.session('bob')] as const;
    for (const [identity, session] of [
      ['alice', sessions[0]],
      ['alice', sessions[0]],
      ['bob', sessions[1]],
    ] as const) {
      const card = await makeCard(identity, { fields: { role: 'nurse' } });
      expect((await publish(server, session, card)).status).toBe(201);
      ids.push((await importCard(card)).id);
      server.clock.now += 1;
    }
    return new World(server, sessions[0], ids);
  }

  run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    return run(this.#folder, args, { ...this.server.env, ...env });
  }

  spoil(statement: string): void {
    const database = new Database((this.server.env['DATABASE_URL'] ?? '').slice('sqlite:'.length));
    database.exec(statement);
    database.close();
  }

  async keys(): Promise<{ appKey: string; logKey: string }> {
    const { json } = await this.server.request('GET', '/v1/app');
    return z.object({ appKey: z.string(), logKey: z.string() }).parse(json);
  }

  async head(): Promise<string> {
    const { json } = await this.server.request('GET', '/v1/log/head', { session: this.session });
    return z.string().parse(json['head']);
  }
}

function publish({ request }: Harness, session: string, card: string) {
  return request('POST', '/v1/cards', { session, body: { card } });
}

describe('cards', () => {
  test('are listed, all or those of an identity', async () => {
    const world = await World.start();
    const [first = '', second = '', third = ''] = world.ids;
    const all = await world.run(['cards', 'list']);
    expect([all.code, all.stderr]).toEqual([0, '']);
    expect(all.stdout.trim().split('\n')).toEqual(
      [
        [first, 'alice'],
        [second, 'alice'],
        [third, 'bob'],
      ].map(([id, identity]): unknown =>
        expect.stringMatching(`^${id} {2}live {8}20.*Z {2}${identity}$`),
      ),
    );
    const bobs = await world.run(['cards', 'list', 'bob', '--json']);
    expect(JSON.parse(bobs.stdout)).toMatchObject({ id: third, identity: 'bob', status: 'live' });
    expect((await world.run(['cards', 'list', 'carol'])).stdout).toBe('');
  });

  test('are shown, and revoked once in the name of the application', async () => {
    const world = await World.start();
    const [id = ''] = world.ids;
    const show = async (): Promise<unknown> =>
      JSON.parse((await world.run(['cards', 'show', id, '--json'])).stdout);
    const before = { id, status: 'live', fields: { role: 'nurse' }, logIndexes: [0], reason: null };
    expect(await show()).toMatchObject(before);
    expect((await world.run(['cards', 'show', id])).stdout).toContain('identity        "alice"\n');

    const revoked = await world.run(['cards', 'revoke', id]);
    expect([revoked.code, revoked.stderr]).toEqual([0, '']);
    expect(await show()).toMatchObject({
      status: 'revoked',
      reason: 'retired',
      logIndexes: [0, 3],
    });
    expect((await liveCards(world.server, world.session, ['alice']))['alice']).toHaveLength(1);

    const again = await world.run(['cards', 'revoke', id]);
    expect([again.code, again.stdout]).toEqual([1, '']);
    expect(again.stderr).toContain('was revoked before');
    // This says more.
    const worse = await world.run(['cards', 'revoke', id, '--reason', 'compromised']);
    expect(worse.code).toBe(0);
    expect(await show()).toMatchObject({ reason: 'compromised', logIndexes: [0, 3, 4] });
    expect((await world.run(['log', 'verify'])).code).toBe(0);
  });

  test('that are not there are said so, and wrong calls are wrong', async () => {
    const world = await World.start();
    const nobody = '0'.repeat(64);
    expect((await world.run(['cards', 'show', nobody])).code).toBe(1);
    expect((await world.run(['cards', 'revoke', nobody])).code).toBe(1);
    expect((await world.run(['cards', 'revoke', 'x'])).code).toBe(2);
    const [id = ''] = world.ids;
    expect((await world.run(['cards', 'revoke', id, '--reason', 'mood'])).code).toBe(2);
    const keyless = await world.run(['cards', 'revoke', id], { APP_PRIVATE_KEY: '' });
    expect(keyless.stderr).toContain('APP_PRIVATE_KEY: expected an Ed25519 seed');
  });
});

describe('log verify', () => {
  test('goes through the database, and says what is wrong where', async () => {
    const world = await World.start();
    const good = await world.run(['log', 'verify']);
    expect(good).toEqual({
      code: 0,
      stdout: '3 entries, 3 cards: all is as it has to be.\n',
      stderr: '',
    });
    const { appKey, logKey } = await world.keys();
    const keys = ['--log-key', logKey, '--app-key', appKey];
    const keyless = { LOG_PRIVATE_KEY: '', APP_PRIVATE_KEY: '' };
    const head = await world.head();
    expect(await world.run(['log', 'verify', ...keys, '--head', head], keyless)).toEqual(good);

    world.spoil(`update log_entries set map_root = '${'A'.repeat(43)}' where log_index = 1`);
    const bad = await world.run(['log', 'verify']);
    expect([bad.code, bad.stdout]).toEqual([
      1,
      'entry 1: The root of the map after it is another.\n3 entries, 3 cards: see above.\n',
    ]);
  });

  test('takes a key that begins with a dash for a key', async () => {
    const world = await World.start();
    const key = `-${'A'.repeat(42)}`;
    const { code, stderr } = await world.run(['log', 'verify', '--log-key', key, '--app-key', key]);
    expect([code, stderr]).toEqual([1, expect.not.stringContaining('Usage:')]);
  });

  test('goes through the log of a server, with no more than anybody has', async () => {
    const world = await World.start();
    const { logKey } = await world.keys();
    const args = ['log', 'verify', '--server', world.server.url, '--log-key', logKey];
    const env = { SESSION: world.session, LOG_PRIVATE_KEY: '', APP_PRIVATE_KEY: '' };
    const early = await world.head();
    await publish(world.server, world.session, await makeCard('alice'));
    const good = await world.run([...args, '--head', early], env);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(/^head [\w-]{150}\n4 entries: all is as it has to be\.\n$/);

    world.spoil(`update log_entries set map_root = '${'A'.repeat(43)}' where log_index = 1`);
    const bad = await world.run(args, env);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain('entry 1: The root of the map after it is another.\n');
  });

  test('refuses what it cannot check', async () => {
    const world = await World.start();
    const { appKey, logKey } = await world.keys();
    const { url } = world.server;
    const env = { SESSION: world.session };
    const usage = await Promise.all(
      [
        ['--server', url],
        ['--server', url, '--log-key', 'x'],
        ['--server', 'http://chat.example', '--log-key', logKey],
        ['--server', 'nowhere', '--log-key', logKey],
        ['--log-key', logKey],
      ].map((args) => world.run(['log', 'verify', ...args], env)),
    );
    expect(usage.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    const failed = await Promise.all(
      [
        // Another key than the log's.
        { args: ['--server', url, '--log-key', appKey], env },
        { args: ['--server', url, '--log-key', logKey], env: { SESSION: 'x.y.z' } },
        { args: ['--head', 'x'], env },
      ].map(({ args, env: variables }) => world.run(['log', 'verify', ...args], variables)),
    );
    expect(failed.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(failed.map(({ stderr }) => stderr)).toEqual([
      'The head of the server is not signed by this log key.\n',
      'The server refused: 401 SESSION_INVALID\n',
      'The head of --head is not signed by this log key.\n',
    ]);
    const { code } = await world.run(['log', 'verify', '--server', url, '--log-key', logKey]);
    expect(code).toBe(2);
  });
});
