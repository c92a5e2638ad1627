/** Who signs in as the README says gets a session and a token that are good for something. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Encryption, MemoryKeyStore } from 'twilio-chat-encryption';
import { examplesOf, ROOT } from '../examples.ts';
import { ready, startWorld, type World } from './world.ts';

interface Example {
  readonly signIn: (
    identity: string,
    password: string,
    isNew: boolean,
  ) => Promise<{ readonly authorize: () => Promise<string>; readonly token: string }>;
}

let world: World;
let folder = '';

beforeAll(async () => {
  world = await startWorld();
  folder = await mkdtemp(`${ROOT}plugin/test/.readme-`);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  await world.close();
});

test('signs up, and in again, and opens a chat', async () => {
  const examples = examplesOf(await readFile(`${ROOT}README.md`, 'utf8'));
  const code = examples.find((one) => one.includes('signIn')) ?? '';
  const file = `${folder}/sign-in.ts`;
  await writeFile(file, code.replace('https://chat.example', world.server));
  const { signIn } = (await import(/* @vite-ignore */ file)) as Example;
  for (const isNew of [true, false]) {
    const { authorize, token } = await signIn('alice', 'correct horse', isNew);
    const encryption = await Encryption.open({
      identity: 'alice',
      server: world.server,
      authorize,
      appKey: world.appKey,
      logKey: world.logKey,
      password: 'correct horse',
      keyStore: new MemoryKeyStore(),
    });
    const raw = world.connect(token);
    await ready(raw);
    expect(encryption.wrapClient(raw).user.identity).toBe('alice');
    encryption.close();
  }
  await expect(signIn('alice', 'wrong horse', false)).rejects.toThrow();
});
