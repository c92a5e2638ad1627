import type { RunningEmulator } from 'twilio-chat-emulator';

/** The requests of one person, kept from taking effect. */
export interface HeldRequests {
  /** How often this was asked: a method and a path. */
  count(what: RegExp): number;
  /** Waits until it was asked so often. */
  asked(what: RegExp, times?: number): Promise<void>;
  /** Lets them all go, and what comes from then on. */
  release(): void;
}

/** Holds everything that somebody asks of Twilio from now on. */
export function holdRequests({ tamper }: RunningEmulator, identity: string): HeldRequests {
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  let end = (): void => undefined;
  const released = new Promise<undefined>((resolve) => {
    end = () => {
      resolve(undefined);
    };
  });
  const undo = tamper.onRequest((request) => {
    if (request.identity !== identity) return undefined;
    seen.push(`${request.method} ${request.path}`);
    for (const look of waiting) look();
    return released;
  });
  const count = (what: RegExp): number => seen.filter((request) => what.test(request)).length;
  return {
    count,
    release() {
      undo();
      end();
    },
    asked: (what, times = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (count(what) < times) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
