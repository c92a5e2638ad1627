// A page that draws sixty times a second has sixteen for each, and does other things, too.
const SLICE_MILLISECONDS = 8;

let since = 0;

/**
 * Lets the page go on, if this library has kept it busy for some milliseconds. Called between the parts of
 * long work: a promise alone would not do, not even one of WebCrypto, which in Chromium is often settled
 * in the very task that it was asked in.
 * @returns what to wait for, or nothing while there is time left
 */
export function pace(): Promise<void> | undefined {
  return performance.now() - since < SLICE_MILLISECONDS ? undefined : pause();
}

async function pause(): Promise<void> {
  await nextTask();
  since = performance.now();
}

// Timers wait for four milliseconds when there are many: https://html.spec.whatwg.org/#timers
function nextTask(): Promise<unknown> {
  if ('scheduler' in globalThis && 'yield' in globalThis.scheduler) {
    return globalThis.scheduler.yield();
  }
  // Node's, which waits for no clock.
  if ('setImmediate' in globalThis) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => setTimeout(resolve));
}
