import type { CommandCall } from '../command.ts';
import { loadEnvironment } from '../environment.ts';
import { failed, ok, type Check } from './check.ts';
import { checkConfiguration, checkEnvFile, checkPins, checkSecretFiles } from './configuration.ts';
import { checkDatabase } from './database.ts';
import { checkLog } from './log.ts';

const LEAST_NODE = 22;

/**
 * `doctor`: looks at everything that a server needs, changes nothing, and asks nobody but the
 * database. Exits with 1 when something failed.
 */
export async function doctor({ envFile, options }: CommandCall): Promise<void> {
  const environment = loadEnvironment(envFile);
  const checks: Check[] = [checkNode()];
  checks.push(...checkEnvFile(envFile), ...checkSecretFiles(environment));
  checks.push(...checkConfiguration(environment), ...(await checkPins(environment)));
  const database = await checkDatabase(environment);
  try {
    checks.push(...database.checks);
    if (database.store) checks.push(...(await checkLog(database.store, environment)));
  } finally {
    await database.close();
  }
  for (const check of checks) console.log(options.json ? JSON.stringify(check) : lineOf(check));
  const failures = checks.filter(({ status }) => status === 'failed').length;
  const warnings = checks.filter(({ status }) => status === 'warning').length;
  if (!options.json) console.log(`\n${failures} failed, ${warnings} to know of.`);
  if (failures > 0) process.exitCode = 1;
}

function checkNode(): Check {
  const { node } = process.versions;
  if (Number.parseInt(node) >= LEAST_NODE) return ok('node', `It is version ${node}.`);
  return failed('node', `It is version ${node}.`, `Install Node ${LEAST_NODE} or newer.`);
}

const MARKS = { ok: 'ok     ', warning: 'know   ', failed: 'FAILED ' };

function lineOf({ about, status, what, fix }: Check): string {
  const line = `${MARKS[status]} ${about}: ${what}`;
  return fix === undefined ? line : `${line}\n          ${fix}`;
}
