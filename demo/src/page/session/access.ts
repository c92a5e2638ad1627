import type { StoredMessage } from '../models/stored-message.ts';
import { cardOwners } from './card-owners.ts';
import { text } from './json.ts';
import { ServerFailure } from './server-failure.ts';
import { storedAnswer } from './stored-answer.ts';
import { request, signIn, type Credentials } from './token-server.ts';

/** What a signed-in person may ask the servers. The session is only in memory. */
export interface Access {
  /** The session token, for the plugin; a new one if it asks again because the last was refused. */
  readonly authorize: () => Promise<string>;
  /** The session token of now, for a question of its own. */
  readonly session: () => Promise<string>;
  /** An access token for Twilio. */
  readonly twilioToken: () => Promise<string>;
  /** Who of these identities has a card, as the token server says. */
  readonly withCard: (identities: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Signs in with another secret from now on; ends the sessions of all other devices. */
  readonly changeSecret: (authSecret: string, newAuthSecret: string) => Promise<void>;
  /** What the emulated Twilio stores of a message. */
  readonly storedMessage: (channelSid: string, index: number) => Promise<StoredMessage>;
}

/** Signs in, and in again whenever the session has ended. */
export async function openAccess(first: Credentials): Promise<Access> {
  let credentials = first;
  let session = await signIn(credentials);
  let given: string | undefined;

  async function renew(): Promise<void> {
    session = await signIn(credentials);
  }

  async function call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const once = (): Promise<unknown> =>
      request(method, path, { session, ...(body !== undefined && { body }) });
    try {
      return await once();
    } catch (error) {
      if (!isSessionOver(error)) throw error;
      await renew();
      return once();
    }
  }

  return {
    async authorize() {
      if (given === session) await renew();
      given = session;
      return session;
    },
    session: () => Promise.resolve(session),
    twilioToken: async () => required(await call('GET', '/v1/twilio-token'), 'token'),
    async withCard(identities) {
      if (identities.length === 0) return new Set();
      return cardOwners(await call('POST', '/v1/cards/search', { identities }), identities);
    },
    async changeSecret(authSecret, newAuthSecret) {
      const answer = await call('POST', '/v1/password', { authSecret, newAuthSecret });
      credentials = { ...credentials, authSecret: newAuthSecret };
      session = required(answer, 'token');
    },
    async storedMessage(channelSid, index) {
      const stored = storedAnswer(await call('GET', `/demo/stored/${channelSid}/${index}`));
      if (!stored) throw new ServerFailure('UNREACHABLE', 'The answer is no stored message.');
      return stored;
    },
  };
}

function isSessionOver(error: unknown): boolean {
  return (
    error instanceof ServerFailure &&
    ['UNAUTHENTICATED', 'SESSION_INVALID', 'SESSION_EXPIRED'].includes(error.code)
  );
}

function required(answer: unknown, name: string): string {
  const value = text(answer, name);
  if (value === undefined) throw new ServerFailure('UNREACHABLE', `The answer has no ${name}.`);
  return value;
}
