import type { Client } from 'twilio-chat';
import type { Session } from '../session/session.ts';
import { createStore, type Readable } from './store.ts';

/** How the page stands with Twilio. */
export interface Connection {
  /** `refused`: Twilio takes no token that the page can get; only signing in anew helps. */
  readonly state: 'connected' | 'reconnecting' | 'refused';
}

/** Follows the connection and keeps its access token fresh. */
export function connectionOf({ client, access }: Session): Readable<Connection> {
  const store = createStore<Connection>({ state: 'connected' });

  // Never two at a time: Twilio says that a token expired more than once.
  let refreshing: Promise<void> | undefined;
  function refresh(): void {
    refreshing ??= replaceToken().finally(() => (refreshing = undefined));
  }

  async function replaceToken(): Promise<void> {
    try {
      await client.updateToken(await access.twilioToken());
    } catch {
      // An early refresh that failed may be tried again when the token has expired.
      if (client.connectionState === 'denied') store.set({ state: 'refused' });
    }
  }

  client.on('tokenAboutToExpire', refresh);
  client.on('tokenExpired', refresh);
  client.on('connectionStateChanged', (state) => {
    store.set({ state: state === 'connected' ? 'connected' : 'reconnecting' });
    if (isRefused(state)) refresh();
  });
  return store;
}

function isRefused(state: Client['connectionState']): boolean {
  return state === 'denied';
}
