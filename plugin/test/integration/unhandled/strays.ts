/** Errors that nobody handles, and whose they are. */
import { createHook } from 'node:async_hooks';
import { isEncryptionError } from 'twilio-chat-encryption';

/** An error that nobody handled. */
export interface Stray {
  /** What it says, without what is new in each run. */
  readonly kind: string;
  /** Whether it is one of the library's, came about in there, or was left there by who had to handle it. */
  readonly isOurs: boolean;
  /** Where it came about. */
  readonly stack: string;
  /** Where the promise was made that rejected with it. */
  readonly madeAt: string;
}

const OURS = /\/plugin\/(src|dist)\//;

/** Collects what nobody handles in this process from now on. */
export function collectStrays(): readonly Stray[] {
  const strays: Stray[] = [];
  const madeAt = new WeakMap<object, string>();
  Error.stackTraceLimit = 50;
  createHook({
    init(_id, type, _trigger, resource) {
      if (type === 'PROMISE') madeAt.set(resource, new Error('made').stack ?? '');
    },
  }).enable();
  process.on('unhandledRejection', (error, promise) => {
    strays.push(strayOf(error, madeAt.get(promise) ?? ''));
  });
  process.on('uncaughtException', (error) => {
    strays.push(strayOf(error, ''));
  });
  return strays;
}

function strayOf(error: unknown, madeAt: string): Stray {
  const text = String(error);
  const stack = error instanceof Error ? (error.stack ?? text) : text;
  return {
    kind: text.replace(/\b[A-Z]{2}[0-9a-f]{32}\b|[0-9a-f-]{36}/g, '…'),
    isOurs: isEncryptionError(error) || OURS.test(stack) || OURS.test(makerIn(madeAt)),
    stack,
    madeAt,
  };
}

/** The line of who made a promise: the first that is of a file, after the one of this file. */
function makerIn(stack: string): string {
  return (
    stack
      .split('\n')
      .filter((line) => line.includes('file:') || line.includes('/node_modules/'))[1] ?? ''
  );
}
