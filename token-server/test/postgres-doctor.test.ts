import { describe, expect, test } from 'vitest';
import { checkDatabase } from '../src/cli/doctor/database.ts';
import { checkLog } from '../src/cli/doctor/log.ts';
import { createPostgresDatabase, query } from './databases.ts';
import { makeCard, secret, signUp, start } from './support.ts';

async function look(env: Record<string, string>) {
  const { checks, store, close } = await checkDatabase(env);
  const all = [...checks, ...(store ? await checkLog(store, env) : [])];
  await close();
  const wrong = all.filter(({ status }) => status !== 'ok');
  return { text: JSON.stringify(all), wrong: wrong.map((one) => `${one.status} ${one.about}`) };
}

describe('of a PostgreSQL doctor sees', () => {
  test('that all is well, and when it is not migrated or cannot be written to', async () => {
    const url = await createPostgresDatabase();
    expect((await look({ DATABASE_URL: url })).wrong).toEqual(['warning database']);
    const server = await start({ DATABASE_URL: url });
    const { session } = await signUp(server, 'alice');
    const card = await makeCard('alice');
    await server.request('POST', '/v1/cards', { session, body: { card } });
    const { wrong, text } = await look({ ...server.env });
    expect(wrong).toEqual([]);
    expect(text).toContain("It differs from the database's by 0");
    expect(text).not.toContain(new URL(url).password);

    const name = new URL(url).pathname.slice(1);
    await query(url, `alter database ${name} set default_transaction_read_only = on`);
    expect((await look({ ...server.env })).wrong).toEqual(['failed database']);
    const readOnly = await server.request('GET', '/readyz');
    expect(readOnly.status).toBe(200);
  });

  test('that nobody answers, or not to this password, which it does not tell', async () => {
    const url = new URL(await createPostgresDatabase());
    url.password = secret();
    const refused = await look({ DATABASE_URL: url.href });
    expect(refused.wrong).toEqual(['failed database']);
    url.port = '1';
    const silent = await look({ DATABASE_URL: url.href });
    expect(silent.wrong).toEqual(['failed database']);
    expect(silent.text).toContain('ECONNREFUSED');
    for (const { text } of [refused, silent]) expect(text).not.toContain(url.password);
  });

  test('that the way to it is not encrypted', async () => {
    // The name is for examples: nobody has it.
    const url = 'postgres://me@db.invalid:5432/chat';
    const plain = await look({ DATABASE_URL: url });
    expect(plain.wrong).toEqual(['warning DATABASE_URL', 'failed database']);
    const sealed = await look({ DATABASE_URL: `${url}?sslmode=verify-full` });
    expect(sealed.wrong).toEqual(['failed database']);
  });
});
