/** A promise that can be given up, as Conversations has them. */
export interface Cancellable<T> extends Promise<T> {
  /** Ends the work where that is possible; the promise rejects. */
  cancel(): Cancellable<T>;
}

/**
 * Starts work that can be cancelled.
 * @param work is told by the signal
 */
export function cancellable<T>(work: (signal: AbortSignal) => Promise<T>): Cancellable<T> {
  const cancelling = new AbortController();
  const { signal } = cancelling;
  const cancelled = new Error('Promise was cancelled');
  const done = new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(cancelled);
    });
    work(signal).then(resolve, reject);
  });
  const result: Cancellable<T> = Object.assign(done, {
    cancel() {
      // As with the SDK's own, who cancels need not listen.
      done.catch(() => undefined);
      cancelling.abort(cancelled);
      return result;
    },
  });
  return result;
}
