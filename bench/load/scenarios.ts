/** What the servers are asked, as real clients ask it. */
import { randomBytes, randomInt } from 'node:crypto';
import {
  createCard,
  curves,
  exportCard,
  parseIdentity,
  type Bytes,
} from 'twilio-chat-encryption/protocol';
import { person } from '../growing-log.ts';
import { request } from './client.ts';
import type { World } from './world.ts';

/** One request, which a bare server is sent under another path. */
export interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Something that is asked again and again. */
export interface Scenario {
  readonly name: string;
  readonly connections: number;
  /** Before each round, whatever its requests need so that making them is not measured. */
  readonly prepare?: () => Promise<void>;
  /** Null when all that was prepared is used up. */
  readonly next: () => Ask | null;
}

/** The bytes of a request, for another path if one is given. */
export function sent({ method, path, headers, body }: Ask, other = path): Uint8Array {
  return request(method, other, { headers, body });
}

const CALLERS = 5000;
const CONNECTIONS = 16;
const CARDS_A_ROUND = 800;

/** All of them. */
export async function scenarios(world: World): Promise<readonly Scenario[]> {
  const callers = callersOf(world);
  const account = await signUp(world);
  const cards = await cardsOf(world);
  const get = (name: string, path: string): Scenario => ({
    name,
    connections: CONNECTIONS,
    next: () => ({ method: 'GET', path, headers: callers() }),
  });
  const search = (name: string, connections: number, body: () => Uint8Array): Scenario => ({
    name,
    connections,
    next: () => ({ method: 'POST', path: '/v1/cards/search', headers: callers(), body: body() }),
  });
  const anybody = (): string => person(randomInt(world.people));
  const many = (): string[] => {
    const first = randomInt(world.people);
    // No one twice, and no neighbours: 7919 is prime.
    return Array.from({ length: 1000 }, (_, index) =>
      person((first + index * 7919) % world.people),
    );
  };
  const from = world.people - 500;
  const searchBody = (identities: readonly string[]) =>
    Buffer.from(JSON.stringify({ identities, from }));
  const channel = searchBody(many());
  return [
    get('head', '/v1/log/head'),
    get('Twilio token', '/v1/twilio-token'),
    account,
    cards,
    search('search of 1', CONNECTIONS, () => searchBody([anybody()])),
    search('search of 1000, one channel', 4, () => channel),
    search('search of 1000, anybody', 4, () => searchBody(many())),
  ];
}

/** Headers of somebody, from a place of their own: nobody comes to the limits. */
function callersOf({ sessionOf }: World): () => Record<string, string> {
  const all = Array.from({ length: CALLERS }, (_, index) => callerOf(sessionOf(person(index))));
  let turn = 0;
  return () => {
    turn += 1;
    return all[turn % CALLERS] ?? {};
  };
}

function callerOf(session: string): Record<string, string> {
  return { authorization: `Bearer ${session}`, 'x-forwarded-for': anyAddress() };
}

function anyAddress(): string {
  return [10, randomInt(256), randomInt(256), randomInt(256)].join('.');
}

/** Signing in to an account that was made for it. */
async function signUp({ servers }: World): Promise<Scenario> {
  const authSecret = randomBytes(32).toString('base64url');
  const body = Buffer.from(JSON.stringify({ identity: 'somebody', authSecret }));
  const response = await fetch(`http://127.0.0.1:${servers[0]?.port ?? 0}/v1/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  if (!response.ok) throw new Error(await response.text());
  return {
    name: 'session, by password',
    connections: 4,
    next: () => ({
      method: 'POST',
      path: '/v1/sessions',
      headers: { 'x-forwarded-for': anyAddress() },
      body,
    }),
  };
}

/** Publishing the first cards of new people. */
async function cardsOf({ sessionOf }: World): Promise<Scenario> {
  const back = await curves();
  const seed = (): Bytes => Uint8Array.from(randomBytes(32));
  const asks: Ask[] = [];
  const newAsk = async (): Promise<Ask> => {
    const identity = parseIdentity(`publisher ${randomBytes(8).toString('hex')}`);
    const signingKey = await back.importSigningKey(seed());
    const encryptionKey = await back.importAgreementKey(seed());
    const content = { identity, createdAt: Date.now() };
    const card = exportCard(await createCard(content, signingKey, encryptionKey));
    const body = Buffer.from(JSON.stringify({ card }));
    return { method: 'POST', path: '/v1/cards', headers: callerOf(sessionOf(identity)), body };
  };
  return {
    name: 'card publishing',
    connections: CONNECTIONS,
    async prepare() {
      while (asks.length < CARDS_A_ROUND) asks.push(await newAsk());
    },
    next: () => asks.pop() ?? null,
  };
}
