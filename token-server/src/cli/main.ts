#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { UsageError, type Command, type CommandOptions } from './command.ts';
import { HELP } from './help.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const NONE = { words: [0, 0], options: [] } as const;

// Loaded when asked for: the server's libraries take half a second that `--help` has no use for.
const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['serve', { ...NONE, run: async ({ envFile }) => (await import('./serve.ts')).serve(envFile) }],
  ['init', { ...NONE, run: async ({ envFile }) => (await import('./init.ts')).init(envFile) }],
  [
    'keygen',
    {
      words: [0, 1],
      options: [],
      run: async (call) => (await import('./keygen.ts')).keygen(call),
    },
  ],
  [
    'migrate',
    {
      ...NONE,
      run: async ({ envFile }) => (await import('./migrate.ts')).migrateDatabase(envFile),
    },
  ],
  [
    'doctor',
    {
      words: [0, 0],
      options: ['json'],
      run: async (call) => (await import('./doctor/doctor.ts')).doctor(call),
    },
  ],
  [
    'cards list',
    {
      words: [0, 1],
      options: ['json'],
      run: async (call) => (await import('./cards.ts')).listCards(call),
    },
  ],
  [
    'cards show',
    {
      words: [1, 1],
      options: ['json'],
      run: async (call) => (await import('./cards.ts')).showCard(call),
    },
  ],
  [
    'cards revoke',
    {
      words: [1, 1],
      options: ['reason'],
      run: async (call) => (await import('./revoke.ts')).revoke(call),
    },
  ],
  [
    'log verify',
    {
      words: [0, 0],
      options: ['server', 'log-key', 'app-key', 'head'],
      run: async (call) => (await import('./log-verify.ts')).verifyLog(call),
    },
  ],
  ['log restart', { ...NONE, run: async (call) => (await import('./restart.ts')).restart(call) }],
]);

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: withValues(args),
    allowPositionals: true,
    options: {
      'env-file': { type: 'string', default: '.env' },
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean' },
      reason: { type: 'string' },
      server: { type: 'string' },
      'log-key': { type: 'string' },
      'app-key': { type: 'string', multiple: true },
      head: { type: 'string', multiple: true },
    },
  });
  const { 'env-file': envFile, help, ...options } = values;
  if (help) {
    console.log(HELP);
    return;
  }
  const { command, words } = find(positionals);
  check(command, words, options);
  await command.run({ envFile, words, options });
}

const VALUED: ReadonlySet<string> = new Set(
  ['env-file', 'reason', 'server', 'log-key', 'app-key', 'head'].map((name) => `--${name}`),
);

/** Every 64th key begins with a dash, and is not an option. */
function withValues([arg, value, ...rest]: readonly string[]): string[] {
  if (arg === undefined) return [];
  if (value === undefined) return [arg];
  return VALUED.has(arg)
    ? [`${arg}=${value}`, ...withValues(rest)]
    : [arg, ...withValues([value, ...rest])];
}

/** The command of one word or of two, and what stands behind it. */
function find(positionals: readonly string[]): {
  readonly command: Command;
  readonly words: readonly string[];
} {
  for (const length of [1, 2]) {
    const command = COMMANDS.get(positionals.slice(0, length).join(' '));
    if (command) return { command, words: positionals.slice(length) };
  }
  const [first] = positionals;
  throw new UsageError(first === undefined ? 'Which command?' : `There is no command ${first}.`);
}

function check(command: Command, words: readonly string[], options: CommandOptions): void {
  const [least, most] = command.words;
  if (words.length < least) throw new UsageError('Something is missing.');
  if (words.length > most) throw new UsageError('There is a word too many.');
  const allowed = new Set<string>(command.options);
  const wrong = Object.keys(options).find((name) => !allowed.has(name));
  if (wrong !== undefined) throw new UsageError(`This command has no option --${wrong}.`);
}

function report(error: unknown): void {
  const code = codeOf(error);
  console.error(error instanceof Error ? error.message : 'It failed.');
  if (error instanceof Error && error.cause instanceof Error) {
    // Of several refused connections, to ::1 and to 127.0.0.1, Node gives an error without a message.
    console.error(`  because: ${error.cause.message || codeOf(error.cause)}`);
  }
  if (code === 'CONFIG_INVALID') console.error('\n`init` writes a file to fill in.');
  const usage = error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
  if (usage) console.error(`\n${HELP}`);
  process.exitCode = usage ? EXIT_USAGE : EXIT_FAILURE;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

// Whoever reads may have enough, as `head` has.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? 0 : 1),
);

await main(process.argv.slice(2)).catch(report);
