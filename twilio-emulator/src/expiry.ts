import type { Clients } from './clients.ts';

/** Twilio warns three minutes ahead, https://www.twilio.com/docs/conversations/create-tokens. */
const WARNING_MS = 3 * 60_000;

const SWEEP_MS = 100;

/** Warns clients whose tokens are about to expire. */
function warn(clients: Clients, now: number): void {
  for (const client of clients.all()) {
    if (client.warned || now < client.expiresAt - WARNING_MS) continue;
    client.warned = true;
    client.link.send({
      method: 'client_update',
      client_update_type: 'token_about_to_expire',
    });
  }
}

/** Sends away clients whose tokens have expired. */
function expel(clients: Clients, now: number): void {
  for (const client of clients.all()) {
    if (now >= client.expiresAt) client.link.goodbye(410, 'TOKEN_EXPIRED');
  }
}

/**
 * Watches the tokens of all clients by looking at the clock again and again, not by one timer per
 * token: a clock that a test moves has its effect at once. The result stops it.
 */
export function watchTokens(clients: Clients, now: () => number): () => void {
  const timer = setInterval(() => {
    warn(clients, now());
    expel(clients, now());
  }, SWEEP_MS).unref();
  return () => {
    clearInterval(timer);
  };
}
