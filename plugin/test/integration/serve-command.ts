/** Starts the servers for a test in Chromium: called there, run here. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where the servers are that a test in Chromium uses. */
export interface Served {
  readonly server: string;
  readonly appKey: string;
  readonly logKey: string;
  readonly clientOptions: object;
  /** Answers with all that Twilio saw. */
  readonly seen: string;
}

const leaving = new Map<string, () => void>();

/** Starts them. */
export async function serve(): Promise<Served> {
  const script = fileURLToPath(new URL('serve.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=twilio-chat-encryption-source', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const served = JSON.parse(line) as Served;
    leaving.set(served.server, () => child.stdin.end());
    return served;
  }
  throw new Error('The servers did not start.');
}

/** Ends them. */
export function leave(_context: unknown, server: string): void {
  leaving.get(server)?.();
}

declare module 'vitest/browser' {
  interface BrowserCommands {
    serve(): Promise<Served>;
    leave(server: string): Promise<void>;
  }
}
