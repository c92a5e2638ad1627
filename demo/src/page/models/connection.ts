import { createStore, type Readable } from './store.ts';

/** How the page stands with Twilio. */
export interface Connection {
  /** `refused`: Twilio takes no token that the page can get; only signing in anew helps. */
  readonly state: 'connected' | 'reconnecting' | 'refused';
}

/** What is needed of Twilio's client. */
export interface Connected {
  readonly connectionState: string;
  updateToken(token: string): Promise<unknown>;
  on(name: 'tokenAboutToExpire' | 'tokenExpired', listener: () => void): unknown;
  on(name: 'connectionStateChanged', listener: (state: string) => void): unknown;
}

/**
 * Follows the connection and keeps its access token fresh.
 * @param newToken gives another access token
 */
export function keepConnected(
  client: Connected,
  newToken: () => Promise<string>,
): Readable<Connection> {
  const store = createStore<Connection>({ state: 'connected' });

  // Never two at a time: that a token expires is told more than once.
  let replacing = false;
  async function replaceToken(): Promise<void> {
    if (replacing) return;
    replacing = true;
    try {
      await client.updateToken(await newToken());
    } catch {
      // A replacement that came early and failed is tried again when the token has expired.
      if (client.connectionState === 'denied') store.set({ state: 'refused' });
    } finally {
      replacing = false;
    }
  }

  client.on('tokenAboutToExpire', () => void replaceToken());
  client.on('tokenExpired', () => void replaceToken());
  client.on('connectionStateChanged', (state) => {
    store.set({ state: state === 'connected' ? 'connected' : 'reconnecting' });
    if (state === 'denied') void replaceToken();
  });
  return store;
}
