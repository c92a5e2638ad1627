import { readFileSync } from 'node:fs';
import type { ConfigProblem, Environment } from './environment.ts';

/** Variables whose value may be in a file instead, which `<name>_FILE` names. */
const SECRETS = [
  'APP_PRIVATE_KEY',
  'LOG_PRIVATE_KEY',
  'SESSION_SECRET',
  'TWILIO_API_SECRET',
  'TWILIO_API_KEY_SECRET',
  'TWILIO_AUTH_TOKEN',
  'METRICS_TOKEN',
  'DATABASE_URL',
] as const;

/** An environment in which secrets have the values of their files. */
export interface ReadSecrets {
  readonly values: Environment;
  /** Named `<name>_FILE`. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the files in which secrets are, as Docker, Kubernetes and systemd hand them over. Editors and
 * `echo` end a file with a line break, which is no part of the secret.
 */
export function readSecretFiles(environment: Environment): ReadSecrets {
  const values = new Map(Object.entries(environment));
  const problems: ConfigProblem[] = [];
  for (const [name, file] of secretFiles(environment)) {
    try {
      if (environment[name]) throw new Error(`not both this and ${name}`);
      values.set(name, contentOf(file));
    } catch (error) {
      const why = error instanceof Error ? error.message : 'a file';
      problems.push({ name: `${name}_FILE`, expected: `expected ${why}` });
    }
  }
  return { values: Object.fromEntries(values), problems };
}

/** The secrets that are in files, with the files' names. */
export function secretFiles(environment: Environment): readonly (readonly [string, string])[] {
  return SECRETS.flatMap((name) => {
    const file = environment[`${name}_FILE`];
    return file ? [[name, file] as const] : [];
  });
}

/** @throws Error that says what was expected; nothing of what is in the file */
function contentOf(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Error(`a file that can be read: ${code}`, { cause: error });
  }
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw new Error('the secret in the file, which is empty');
  return value;
}
