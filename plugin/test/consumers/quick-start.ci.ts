/**
 * What README.md and token-server/README.md promise, as a newcomer does it: from an empty folder, with the
 * packages as npm gets them, their programs by their names, and the examples of the page. Twilio is the
 * local stand-in for it.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { startEmulator, type RunningEmulator } from 'twilio-chat-emulator';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { examplesOf, ROOT } from '../examples.ts';
import { emptyConsumer, type Consumer } from './consumer.ts';

const README = await readFile(`${ROOT}README.md`, 'utf8');
const SERVER_README = await readFile(`${ROOT}token-server/README.md`, 'utf8');

const EXAMPLES = examplesOf(README);
const exampleWith = (word: string): string => EXAMPLES.find((one) => one.includes(word)) ?? '';

const BUILD = 'token-server/tsconfig.build.json';

/** Runs as `npx twilio-chat-encryption-server` does in this folder. */
const PROGRAM = 'node_modules/.bin/twilio-chat-encryption-server';

/** How a program ended. */
interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let consumer: Consumer;
let emulator: RunningEmulator;

// Nothing of this process's variables: a newcomer has none of them.
const BARE = { PATH: process.env['PATH'], HOME: process.env['HOME'] };

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = BARE): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { cwd: consumer.folder, env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

/** With the registry and the proxies that npm has here. */
async function npm(...args: string[]): Promise<void> {
  const { code, stderr } = await run('npm', args, process.env);
  expect(code, stderr).toBe(0);
}

const server = (...args: string[]): Promise<Ended> => run(PROGRAM, args);

/** What a program prints with `--json`: one value a line. */
async function json(...args: string[]): Promise<unknown[]> {
  const { code, stdout, stderr } = await server(...args, '--json');
  expect(code, stderr).toBe(0);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line));
}

/** Fills in what `init` left open. */
async function fillIn(values: Readonly<Record<string, string>>): Promise<void> {
  const file = join(consumer.folder, '.env');
  let text = await readFile(file, 'utf8');
  for (const [name, value] of Object.entries(values)) {
    const line = new RegExp(`^${name}=.*$`, 'm');
    expect(text).toMatch(line);
    text = text.replace(line, `${name}=${value}`);
  }
  await writeFile(file, text);
}

/** Replaces what must be there. */
function swap(text: string, from: string | RegExp, to: string): string {
  expect(text).toMatch(from);
  return text.replace(from, to);
}

beforeAll(async () => {
  [consumer, emulator] = await Promise.all([emptyConsumer(), startEmulator()]);
  const { tarball } = inject('packed');
  await npm('exec', '--no', '--prefix', ROOT, '--', 'tsc', '-b', `${ROOT}${BUILD}`);
  const options = ['--ignore-scripts', '--pack-destination', consumer.folder];
  await npm('pack', `${ROOT}token-server`, ...options);
  const [packed = ''] = (await readdir(consumer.folder)).filter((name) => name.endsWith('.tgz'));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await npm('install', ...quiet, tarball, `./${packed}`, 'twilio-chat');
}, 120_000);

afterAll(async () => {
  await emulator.close();
  await consumer.remove();
});

describe('from an empty folder', () => {
  let port = 0;

  test('the page names these commands, and each says how it is used', async () => {
    for (const command of ['init', 'doctor', 'serve']) {
      expect(SERVER_README).toContain(`npx twilio-chat-encryption-server ${command}`);
    }
    const help = await server('--help');
    expect(help.code).toBe(0);
    const names = ['init', 'serve', 'migrate', 'keygen', 'doctor', 'cards list', 'log verify'];
    for (const name of names) expect(help.stdout).toContain(`\n  ${name} `);
    const wrong = await server('srve');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('srve');
  });

  test('init writes keys that only the owner may read, and never a second time', async () => {
    const first = await server('init');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const file = join(consumer.folder, '.env');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const before = await readFile(file, 'utf8');
    const again = await server('init');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('never overwrites');
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test('doctor says what is missing, and after that nothing', async () => {
    const missing = await server('doctor');
    expect(missing.code).toBe(1);
    expect(missing.stdout).toMatch(/FAILED +TWILIO_ACCOUNT_SID/);
    port = await freePort();
    await fillIn({
      TWILIO_ACCOUNT_SID: emulator.config.accountSid,
      TWILIO_API_KEY: emulator.config.apiKey,
      TWILIO_API_SECRET: emulator.config.apiSecret,
      TWILIO_CHAT_SERVICE_SID: emulator.config.serviceSid,
      PORT: String(port),
      ORIGIN: `http://localhost:${port}`,
    });
    expect((await server('migrate')).code).toBe(0);
    const report = JSON.stringify(await json('doctor'));
    expect(report).not.toMatch(/failed/i);
    expect(report).not.toContain(emulator.config.apiSecret);
  });

  test('somebody signs in, chats and reads with the examples of the page', async () => {
    const serving = await serve();
    try {
      await writeExamples();
      const { code, stdout, stderr } = await run(process.execPath, ['app.js']);
      expect(stderr).toBe('');
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'alice: hello to me\n' });
      const [{ sid } = { sid: '' }] = emulator.inspect.channels();
      expect(JSON.stringify(emulator.inspect.messages(sid))).not.toContain('hello');
    } finally {
      expect(await serving.stop()).toBe(0);
    }
  });

  test('the operator sees the card, ends it, and the log has both', async () => {
    const listed = await json('cards', 'list', 'alice');
    expect(listed).toMatchObject([{ identity: 'alice', status: 'live' }]);
    const id = /"(?:id|cardId)":"([0-9a-f]{64})"/.exec(JSON.stringify(listed))?.[1] ?? '';
    expect((await server('cards', 'show', id)).stdout).toContain('alice');
    expect((await server('cards', 'revoke', id)).code).toBe(0);
    expect(await json('cards', 'list', 'alice')).toMatchObject([{ status: 'revoked' }]);
    const verified = await server('log', 'verify');
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
    expect((await server('cards', 'show', 'ab'.repeat(32))).code).toBe(1);
  });

  /** The server, once it listens; to stop it gives its exit code. */
  async function serve(): Promise<{ stop(): Promise<unknown> }> {
    const child = spawn(PROGRAM, ['serve'], {
      cwd: consumer.folder,
      env: BARE,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone: Promise<unknown[]> = once(child, 'exit');
    for await (const line of createInterface(child.stdout)) {
      if (line.includes('listening')) break;
    }
    child.stdout.resume();
    return {
      async stop() {
        child.kill('SIGTERM');
        return (await gone)[0];
      },
    };
  }

  /** The page's examples with their placeholders filled in, and an application of a few lines. */
  async function writeExamples(): Promise<void> {
    const env = await readFile(join(consumer.folder, '.env'), 'utf8');
    const keyOf = async (name: string): Promise<string> => {
      const { stdout } = await server('doctor');
      return new RegExp(`${name}: The application pins (\\S+)\\.\\n`).exec(stdout)?.[1] ?? '';
    };
    const origin = /^ORIGIN=(.*)$/m.exec(env)?.[1] ?? '';
    const address = /https:\/\/chat\.example/;
    let open = swap(exampleWith('function openChat'), address, origin);
    open = swap(open, /appKey: '[^']+'/, `appKey: '${await keyOf('appKey')}'`);
    open = swap(open, /logKey: '[^']+'/, `logKey: '${await keyOf('logKey')}'`);
    // In Node a key store is needed; and Twilio is the stand-in.
    open = swap(open, /password, \/\//, "password, keyStore: new FileKeyStore('keys'), //");
    const options = JSON.stringify(emulator.clientOptions);
    open = swap(open, 'new Client(token)', `new Client(token, ${options})`);
    const fileKeyStore = "import { FileKeyStore } from 'twilio-chat-encryption/node';\n";
    await consumer.write('open.ts', fileKeyStore + open);
    await consumer.write('sign-in.ts', swap(exampleWith('function signIn'), address, origin));
    await consumer.write('describe.ts', exampleWith('function describe'));
    await consumer.write('app.ts', APPLICATION);
    await consumer.write('package.json', '{ "private": true, "type": "module" }');
  }
});

/** Written for the bare SDK, but for its first two lines. */
const APPLICATION = `
import { describe } from './describe.ts';
import { openChat } from './open.ts';
import { signIn } from './sign-in.ts';

const client = await openChat('alice', 'password', await signIn('alice', 'password', true));
if (client.connectionState !== 'connected') {
  await new Promise((resolve) => client.once('stateChanged', resolve));
}
const channel = await client.createChannel({ isPrivate: true });
await channel.join();
const arrived = new Promise((resolve) => channel.once('messageAdded', resolve));
await channel.sendMessage('hello to me');
console.log(describe(await arrived));
process.exit();
`;

async function freePort(): Promise<number> {
  const other = await startEmulator();
  await other.close();
  return other.port;
}
