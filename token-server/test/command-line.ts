/** The program, as somebody calls it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterTest } from './support.ts';

/** What it printed so far. */
interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** How it ended. */
export interface Ended extends Output {
  /** Its exit code. */
  readonly code: unknown;
}

/** The program while it runs. */
interface Launched {
  readonly child: ChildProcess;
  readonly output: Output;
  readonly exit: Promise<Ended>;
}

/** The program itself, from source. */
export const MAIN: string = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** Starts the program in a folder, with only these variables. */
export function launch(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Launched {
  const child = spawn(
    process.execPath,
    ['--conditions=twilio-chat-encryption-source', MAIN, ...args],
    { cwd: folder, env: { NODE_NO_WARNINGS: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  afterTest(() => {
    child.kill('SIGKILL');
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
  const exit = once(child, 'close').then(([code]: unknown[]) => ({ code, ...output }));
  return { child, output, exit };
}

/** Runs it to its end. */
export async function run(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  return launch(folder, args, env).exit;
}
