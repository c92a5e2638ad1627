/** A server with every route, somebody who uses it, and a good request to each route. */
import { randomBytes } from 'node:crypto';
import { createRevocation, exportCard, parseIdentity } from 'twilio-chat-encryption/protocol';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import type { RateLimits } from '../src/index.ts';
import { makeDevice, type Device } from './keeper.ts';
import { makeCard, secret, signUp, start, type Harness } from './support.ts';

const many = { points: 1e9, seconds: 60 };

/** So wide that no test comes to them. */
export const WIDE_LIMITS: RateLimits = {
  routeByAddress: many,
  routeByIdentity: many,
  changeByIdentity: many,
  signUpByAddress: many,
  signInByAddress: many,
  signInByPair: many,
  signInByIdentity: many,
};

/** Somebody who signed up, with a device whose card is published and a backup. */
export interface Person {
  readonly identity: string;
  readonly authSecret: string;
  readonly session: string;
  readonly device: Device;
  /** Of the backup. */
  readonly etag: string;
}

/** A server with every route, and who is there. */
export interface Everything extends Harness {
  readonly alice: Person;
  readonly metricsToken: string;
  readonly authToken: string;
}

/** Starts it, without limits that a test could come to. */
export async function startEverything(changes: Record<string, string> = {}): Promise<Everything> {
  const metricsToken = secret();
  const authToken = randomBytes(16).toString('hex');
  const env = { METRICS_TOKEN: metricsToken, TWILIO_AUTH_TOKEN: authToken, ...changes };
  const server = await start(env, { rateLimits: WIDE_LIMITS });
  return { ...server, metricsToken, authToken, alice: await settle(server, 'alice') };
}

/** Signs somebody up who then has a card and a backup. */
export async function settle(server: Harness, identity: string): Promise<Person> {
  return equip(server, { identity, ...(await signUp(server, identity)) });
}

/** Gives a card and a backup to somebody who signed in. */
export async function equip(
  { request }: Harness,
  person: Pick<Person, 'identity' | 'session' | 'authSecret'>,
): Promise<Person> {
  const { identity, session } = person;
  const device = await makeDevice(parseIdentity(identity));
  await request('POST', '/v1/cards', { session, body: { card: exportCard(device.card) } });
  const { headers } = await request('PUT', '/v1/backup', {
    session,
    body: { backup: secret() },
    headers: { 'if-none-match': '*' },
  });
  return { ...person, device, etag: headers.get('etag') ?? '' };
}

/** What a test sends to a route. */
export interface Sent {
  readonly path: string;
  readonly session?: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly raw?: string;
}

/** For each route of the document a request that does what the route is for. */
export const EXAMPLES: Readonly<Record<string, (world: Everything) => Promise<Sent> | Sent>> = {
  'POST /v1/accounts': () => ({
    path: '/v1/accounts',
    body: { identity: `new-${secret()}`, authSecret: secret() },
  }),
  'POST /v1/sessions': ({ alice: { identity, authSecret } }) => ({
    path: '/v1/sessions',
    body: { identity, authSecret },
  }),
  'POST /v1/password': ({ alice: { session, authSecret } }) => ({
    path: '/v1/password',
    session,
    body: { authSecret, newAuthSecret: authSecret },
  }),
  'DELETE /v1/account': ({ alice: { session, authSecret } }) => ({
    path: '/v1/account',
    session,
    body: { authSecret },
  }),
  'GET /v1/backup': ({ alice: { session } }) => ({ path: '/v1/backup', session }),
  'PUT /v1/backup': ({ alice: { session, etag } }) => ({
    path: '/v1/backup',
    session,
    body: { backup: secret() },
    headers: { 'if-match': etag },
  }),
  'DELETE /v1/backup': ({ alice: { session, etag } }) => ({
    path: '/v1/backup',
    session,
    headers: { 'if-match': etag },
  }),
  'GET /v1/twilio-token': ({ alice: { session } }) => ({ path: '/v1/twilio-token', session }),
  'POST /v1/webhooks/twilio': ({ authToken, env }) => {
    const event = { EventType: 'onMessageRemove', From: 'alice' };
    const url = `${env['ORIGIN'] ?? ''}/v1/webhooks/twilio`;
    return {
      path: '/v1/webhooks/twilio',
      raw: new URLSearchParams(event).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': getExpectedTwilioSignature(authToken, url, event),
      },
    };
  },
  'GET /v1/app': () => ({ path: '/v1/app' }),
  'POST /v1/cards': async ({ alice: { session } }) => ({
    path: '/v1/cards',
    session,
    body: { card: await makeCard('alice') },
  }),
  'GET /v1/cards/{id}': ({ alice: { session, device } }) => ({
    path: `/v1/cards/${device.card.id}`,
    session,
  }),
  'POST /v1/cards/search': ({ alice: { session } }) => ({
    path: '/v1/cards/search',
    session,
    body: { identities: ['alice', 'bob', '\u202e'], from: 0 },
  }),
  'POST /v1/cards/{id}/revocation': async ({ alice: { session, device } }) => {
    const { id } = device.card;
    const content = { cardId: id, reason: 'retired', revokedAt: 5, signer: id } as const;
    const revocation = await createRevocation(content, device.key);
    return { path: `/v1/cards/${id}/revocation`, session, body: { revocation } };
  },
  'GET /v1/log/head': ({ alice: { session } }) => ({ path: '/v1/log/head', session }),
  'GET /v1/log/inclusion': ({ alice: { session } }) => ({
    path: '/v1/log/inclusion?index=0&size=1',
    session,
  }),
  'GET /v1/log/consistency': ({ alice: { session } }) => ({
    path: '/v1/log/consistency?from=0&to=1',
    session,
  }),
  'GET /v1/log/map': ({ alice: { session } }) => ({
    path: '/v1/log/map?identity=alice&size=1',
    session,
  }),
  'GET /v1/log/entries': ({ alice: { session } }) => ({
    path: '/v1/log/entries?start=0&end=9',
    session,
  }),
  'GET /healthz': () => ({ path: '/healthz' }),
  'GET /readyz': () => ({ path: '/readyz' }),
  'GET /metrics': ({ metricsToken }) => ({ path: '/metrics', session: metricsToken }),
  'GET /v1/openapi.json': () => ({ path: '/v1/openapi.json' }),
};
