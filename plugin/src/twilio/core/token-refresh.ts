import type { Device } from '../../client/device.ts';

const FIRST_MILLISECONDS = 500;
const LAST_MILLISECONDS = 60_000;
const PATIENCE_MILLISECONDS = 15_000;

/** A client of an SDK, as far as its token goes. */
export interface TokenHolder {
  readonly connectionState: string;
  on(name: 'tokenAboutToExpire' | 'tokenExpired', listener: () => void): unknown;
  updateToken(token: string): Promise<unknown>;
}

/**
 * Gives a client a new token from the token server before its own runs out, and tries until that works
 * or the device is closed. An application that does it too is not disturbed: the latest token counts.
 * @returns ends it: a client that was shut down would connect again with a new token
 */
export function keepTokenFresh(raw: TokenHolder, { twilioToken, closed }: Device): () => void {
  const ending = new AbortController();
  if (!twilioToken) return () => undefined;
  const ask = twilioToken;
  const isOver = (): boolean => ending.signal.aborted || closed.aborted;
  let refreshing = false;

  async function refresh(): Promise<void> {
    for (
      let delay = FIRST_MILLISECONDS;
      !isOver();
      delay = Math.min(2 * delay, LAST_MILLISECONDS)
    ) {
      // While its socket closes, as when a token ran out, the SDK loses an update without a word.
      if (raw.connectionState !== 'disconnecting' && (await isUpdated())) return;
      await pause(delay);
    }
  }

  async function isUpdated(): Promise<boolean> {
    try {
      const token = await ask();
      if (isOver()) return true;
      // In other states that do not last it loses it too.
      return await Promise.race([
        raw.updateToken(token).then(() => true),
        pause(PATIENCE_MILLISECONDS).then(() => false),
      ]);
    } catch {
      // The token server is away, or Twilio is: until the token is there, nothing else can be done.
      return false;
    }
  }

  for (const name of ['tokenAboutToExpire', 'tokenExpired'] as const) {
    raw.on(name, () => {
      if (refreshing) return;
      refreshing = true;
      void refresh().finally(() => {
        refreshing = false;
      });
    });
  }
  return () => {
    ending.abort();
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
