const FIRST_MILLISECONDS = 1000;
const LAST_MILLISECONDS = 60_000;
/** How many are tried at once: the rest waits for the next turn. */
const TURN = 256;

/** Messages that could not be decided yet. */
export interface RetryQueue<Message> {
  add(message: Message): void;
  delete(message: Message): void;
}

/**
 * Tries what is pending again, ever more slowly while nothing changes, until it is decided or the
 * device is closed. `retry` adds again what stays pending; what it throws is of the closed device.
 */
export function retryQueue<Message>(
  closed: AbortSignal,
  retry: (messages: readonly Message[]) => Promise<void>,
): RetryQueue<Message> {
  const pending = new Set<Message>();
  let delay = FIRST_MILLISECONDS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function turn(): Promise<void> {
    const messages = [...pending].slice(0, TURN);
    for (const message of messages) pending.delete(message);
    await retry(messages).catch(() => undefined);
    timer = undefined;
    const stuck = messages.every((message) => pending.has(message));
    delay = stuck ? Math.min(2 * delay, LAST_MILLISECONDS) : FIRST_MILLISECONDS;
    schedule();
  }

  function schedule(): void {
    if (pending.size > 0 && !closed.aborted) timer ??= setTimeout(() => void turn(), delay);
  }

  closed.addEventListener('abort', () => {
    clearTimeout(timer);
    pending.clear();
  });
  return {
    add(message) {
      if (closed.aborted) return;
      pending.add(message);
      schedule();
    },
    delete: (message) => void pending.delete(message),
  };
}
