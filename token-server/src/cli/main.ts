#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { ConfigError } from '../config.ts';
import { HELP } from './help.ts';
import { init } from './init.ts';
import { keygen } from './keygen.ts';
import { migrateDatabase } from './migrate.ts';
import { serve } from './serve.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const COMMANDS: ReadonlyMap<string, (envFile: string) => Promise<void> | void> = new Map([
  ['serve', serve],
  ['init', init],
  ['keygen', keygen],
  ['migrate', migrateDatabase],
]);

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'env-file': { type: 'string', default: '.env' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [name, ...rest] = positionals;
  if (values.help) {
    console.log(HELP);
    return;
  }
  const command = COMMANDS.get(name ?? '');
  if (command === undefined || rest.length > 0) {
    console.error(HELP);
    process.exitCode = EXIT_USAGE;
    return;
  }
  await command(values['env-file']);
}

function report(error: unknown): void {
  if (isUsageError(error)) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  console.error(error instanceof Error ? error.message : 'It failed.');
  if (error instanceof ConfigError) console.error('\n`init` writes a file to fill in.');
  else if (error instanceof Error && error.cause instanceof Error) {
    console.error(`  because: ${error.cause.message}`);
  }
  process.exitCode = EXIT_FAILURE;
}

function isUsageError(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('ERR_PARSE_ARGS')
  );
}

await main(process.argv.slice(2)).catch(report);
