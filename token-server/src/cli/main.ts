#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { HELP } from './help.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

type Command = (envFile: string) => Promise<void>;

// Loaded when asked for: the server's libraries take half a second that `--help` has no use for.
const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['serve', async (envFile) => (await import('./serve.ts')).serve(envFile)],
  ['init', async (envFile) => (await import('./init.ts')).init(envFile)],
  ['keygen', async () => (await import('./keygen.ts')).keygen()],
  ['migrate', async (envFile) => (await import('./migrate.ts')).migrateDatabase(envFile)],
]);

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'env-file': { type: 'string', default: '.env' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const [name = '', ...rest] = positionals;
  const command = COMMANDS.get(name);
  if (command === undefined || rest.length > 0) {
    console.error(HELP);
    process.exitCode = EXIT_USAGE;
    return;
  }
  await command(values['env-file']);
}

function report(error: unknown): void {
  const code = codeOf(error);
  console.error(error instanceof Error ? error.message : 'It failed.');
  if (error instanceof Error && error.cause instanceof Error) {
    // Of several refused connections, to ::1 and to 127.0.0.1, Node gives an error without a message.
    console.error(`  because: ${error.cause.message || codeOf(error.cause)}`);
  }
  if (code === 'CONFIG_INVALID') console.error('\n`init` writes a file to fill in.');
  const usage = code.startsWith('ERR_PARSE_ARGS');
  if (usage) console.error(`\n${HELP}`);
  process.exitCode = usage ? EXIT_USAGE : EXIT_FAILURE;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

await main(process.argv.slice(2)).catch(report);
