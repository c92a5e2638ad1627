import type { Device } from '../../client/device.ts';

// Between two askings, whatever came of the first: a token server that is away is asked ever more slowly,
// and so is one that gives tokens which are about to expire when they are new.
const FIRST_MILLISECONDS = 500;
const LAST_MILLISECONDS = 30_000;
const PATIENCE_MILLISECONDS = 5000;

/** A client of an SDK, as far as its token goes. */
export interface TokenHolder {
  readonly connectionState: string;
  on(name: 'tokenAboutToExpire' | 'tokenExpired', listener: () => void): unknown;
  updateToken(token: string): Promise<unknown>;
}

/**
 * Gives a client a new token from the token server before its own runs out, and tries until that works
 * or the device is closed. An application that does it too is not disturbed: the latest token counts.
 * @param jitter from 0 to 1: the clients of a server that was away do not come back all at once
 * @returns ends it: a client that was shut down would connect again with a new token
 */
export function keepTokenFresh(
  raw: TokenHolder,
  { twilioToken, closed }: Pick<Device, 'twilioToken' | 'closed'>,
  jitter: () => number = Math.random,
): () => void {
  const ending = new AbortController();
  if (!twilioToken) return () => undefined;
  const ask = twilioToken;
  const over = AbortSignal.any([ending.signal, closed]);
  const isOver = (): boolean => over.aborted;
  let isWanted = false;
  let isRunning = false;
  let askedAt = -Infinity;
  let spacing = 0;

  /** How long to wait before the token server is asked again, in milliseconds. */
  function untilNext(): number {
    const since = Date.now() - askedAt;
    if (since >= 2 * LAST_MILLISECONDS) spacing = 0;
    return Math.max(0, spacing * (0.5 + 0.5 * jitter()) - since);
  }

  async function refresh(): Promise<void> {
    while (isWanted && !isOver()) {
      await pause(untilNext(), over);
      isWanted = false;
      askedAt = Date.now();
      spacing = Math.min(Math.max(2 * spacing, FIRST_MILLISECONDS), LAST_MILLISECONDS);
      const isDone = await isUpdated();
      // It may be wanted again by now.
      if (!isDone) isWanted = true;
    }
  }

  async function isUpdated(): Promise<boolean> {
    if (isOver()) return true;
    // While its socket closes, as when a token ran out, the SDK loses an update without a word.
    if (raw.connectionState === 'disconnecting') return false;
    try {
      const token = await ask();
      if (isOver()) return true;
      // In other states that do not last it loses it too.
      return await Promise.race([
        raw.updateToken(token).then(() => true),
        pause(PATIENCE_MILLISECONDS, over).then(() => false),
      ]);
    } catch {
      // The token server is away, or Twilio is: until the token is there, nothing else can be done.
      return false;
    }
  }

  function want(): void {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    void refresh().finally(() => {
      isRunning = false;
    });
  }

  for (const name of ['tokenAboutToExpire', 'tokenExpired'] as const) raw.on(name, want);
  return () => {
    ending.abort();
  };
}

function pause(milliseconds: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      over.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    over.addEventListener('abort', end);
    if (over.aborted) end();
  });
}
