/**
 * When everything is over at once, every call that the application made ends, and nothing of the wrapper is
 * left unhandled. The SDKs leave some of their own: what they raise without it is no concern here. Each
 * situation has a process of its own, in which nobody else handles what is unhandled.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import type { Report, Task } from './unhandled/situation-worker.ts';
import { SITUATIONS } from './unhandled/situations.ts';

const isLong = inject('longRuns');
const WORKER = join(import.meta.dirname, 'unhandled/situation-worker.ts');

// What the calls of an application end with: a code of the library, or an error of the SDK. Conversations
// has no members of a conversation that one was removed from, and stumbles over that itself.
const TYPED =
  /^(resolved|[A-Z_]+|SyncError|Transport\w*Error|Twilsock\w*Error|TypeError of the SDK)$/;

/** Goes through a situation; rejects when that does not end. */
async function report(task: Task): Promise<Report> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=twilio-chat-encryption-source', WORKER, JSON.stringify(task)],
    { timeout: 100_000 },
  );
  const answer = JSON.parse(stdout) as Report;
  expect(answer.isOver, 'it went on to the end').toBe(true);
  return answer;
}

const situations = Object.keys(SITUATIONS) as (keyof typeof SITUATIONS)[];

describe.each(['twilio-chat', 'Conversations'] as const)('%s', (sdk) => {
  // Mostly they wait: for the SDKs, which try again and again.
  test.concurrent.each(situations)(
    '%s',
    async (situation) => {
      const wrapped = await report({ sdk, situation, manner: 'wrapped' });
      expect(wrapped.strays.filter(({ isOurs }) => isOurs)).toEqual([]);
      expect(wrapped.calls).not.toEqual([]);
      expect(wrapped.calls.filter(({ outcome }) => !TYPED.test(outcome))).toEqual([]);
      // What the SDK does alone is looked at when there is something to compare.
      if (wrapped.strays.length === 0 && !isLong) return;
      const bare = await report({ sdk, situation, manner: 'bare' });
      const known = bare.strays.map(({ kind }) => kind);
      expect(wrapped.strays.filter(({ kind }) => !known.includes(kind))).toEqual([]);
      expect(wrapped.calls.map(({ name }) => name)).toEqual(bare.calls.map(({ name }) => name));
    },
    120_000,
  );
});
