/**
 * The timers of a process, and a way to have done with waiting: an SDK gives a request up after half a
 * minute, and tries to connect again for ever more minutes.
 */
import { mock } from 'node:test';

/** Who waits for longer waits for something that went wrong. */
const LONG_MILLISECONDS = 1000;
const HASTE = 50;

interface Clock {
  /** From now on a second lasts 20 milliseconds, also for who is waiting already. */
  readonly hurry: () => void;
  /** Passes soon, when it is in a hurry. */
  readonly halfMinute: () => Promise<void>;
}

type Timer = ReturnType<typeof setTimeout>;

/** Takes the timers of this process over. */
export function takeTimers(): Clock {
  const [start, stop] = [globalThis.setTimeout, globalThis.clearTimeout];
  const waiting = new Map<Timer, { readonly ring: () => void; readonly due: number }>();
  const instead = new Map<Timer, Timer>();
  let haste = 1;

  function wait(run: () => void, delay: number): Timer {
    if (delay < LONG_MILLISECONDS) return start(run, delay);
    const ring = (): void => {
      forget(timer);
      run();
    };
    const timer = start(ring, delay / haste);
    if (haste === 1) waiting.set(timer, { ring, due: Date.now() + delay });
    return timer;
  }

  function forget(timer: Timer): void {
    waiting.delete(timer);
    stop(instead.get(timer));
    instead.delete(timer);
  }

  type Callback = (...args: readonly unknown[]) => void;
  mock.method(globalThis, 'setTimeout', (run: Callback, delay = 0, ...args: readonly unknown[]) =>
    wait(() => {
      run(...args);
    }, delay),
  );
  mock.method(globalThis, 'clearTimeout', (timer?: Timer) => {
    if (timer !== undefined) forget(timer);
    stop(timer);
  });

  return {
    halfMinute: () =>
      new Promise((resolve) => {
        wait(resolve, 30_000);
      }),
    hurry() {
      haste = HASTE;
      for (const [timer, { ring, due }] of waiting) {
        stop(timer);
        const sooner = start(ring, Math.max(0, due - Date.now()) / HASTE);
        // What keeps no process running does not do so now.
        if (!timer.hasRef()) sooner.unref();
        instead.set(timer, sooner);
      }
    },
  };
}
