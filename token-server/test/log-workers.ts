import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { base64url, importCard } from 'twilio-chat-encryption/protocol';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Keeper, Seeds } from './keeper.ts';
import { afterTest } from './support.ts';

const Acknowledged = z.object({ id: z.string(), logIndex: z.int() });

/** A card of which a server said that it is published. */
export type Acknowledged = z.output<typeof Acknowledged>;

/** A server in a process of its own. */
export interface Worker {
  /** Resolves with its first acknowledgement. */
  readonly begun: Promise<unknown>;
  /** Resolves with how it ended. */
  readonly ended: Promise<number | string>;
  readonly acknowledged: readonly Acknowledged[];
  kill(): void;
}

/** Runs `log-worker.ts` on a database; `rounds` times, if nobody kills it. */
export function startWorker(url: string, seeds: Seeds, prefix: string, rounds: number): Worker {
  const file = fileURLToPath(new URL('log-worker.ts', import.meta.url));
  const keys = [seeds.app, seeds.log].map((seed) => base64url.encode(seed));
  const child = fork(file, [url, ...keys, prefix, String(rounds)], {
    execArgv: ['--conditions=twilio-chat-encryption-source'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  afterTest(kill);
  const acknowledged: Acknowledged[] = [];
  child.on('message', (message) => {
    acknowledged.push(Acknowledged.parse(message));
  });
  // Not `exit`: what was sent before comes before `disconnect`.
  const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(
    ([[code, signal]]) => z.union([z.int(), z.string()]).parse(code ?? signal),
  );
  const begun = Promise.race([once(child, 'message'), ended]);
  return { begun, ended, acknowledged, kill };
}

/** Expects each of these cards to be stored, and to be the entry that was said. */
export async function expectKept(
  { store }: Keeper,
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  for (const { id, logIndex } of acknowledged) {
    const card = await store.findCard(id);
    const entry = await store.log.entry(logIndex);
    expect(entry?.content).toBe(card?.exported);
    expect((await importCard(entry?.content ?? '')).id).toBe(id);
  }
}
