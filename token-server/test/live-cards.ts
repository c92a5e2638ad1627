import {
  base64url,
  curves,
  decodeHead,
  exportCard,
  lookupFromJson,
  parseIdentity,
  verifyLookup,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { isIdentity } from '../src/domain/identity.ts';
import type { Harness, Reply } from './support.ts';

/** Asks for people, and gives their live cards, exported, as a client reads them out of the log. */
export async function liveCards(
  server: Pick<Harness, 'env' | 'request'>,
  session: string,
  identities: readonly string[],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const body = { identities };
  return liveCardsIn(
    server,
    identities,
    await server.request('POST', '/v1/cards/search', { session, body }),
  );
}

/** The live cards in the answer to a search. */
export async function liveCardsIn(
  { env }: Pick<Harness, 'env'>,
  asked: readonly string[],
  { json, text }: Reply,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const head = decodeHead(base64url.decode(z.string().parse(json['head'])) ?? new Uint8Array());
  const lookup = lookupFromJson(json['lookup']);
  if (!head || !lookup) throw new Error(`This is no answer to a search: ${text}`);
  const identities = [...new Set(asked)].filter(isIdentity).map(parseIdentity);
  const logKey = (await keyOf(env['LOG_PRIVATE_KEY'])).publicKey;
  const appKey = await keyOf(env['APP_PRIVATE_KEY']);
  const backEnd = await curves();
  const found = await verifyLookup(lookup, {
    logKey: await backEnd.importVerifyingKey(logKey),
    appKeys: [await backEnd.importVerifyingKey(appKey.publicKey)],
    head,
    identities,
  });
  return Object.fromEntries(
    [...found].map(([identity, { cards }]) => {
      const live = cards.filter(({ status }) => status === 'live');
      return [identity, live.map(({ card }) => exportCard(card))];
    }),
  );
}

async function keyOf(secret = ''): Promise<SigningKey> {
  return (await curves()).importSigningKey(base64url.decode(secret) ?? new Uint8Array());
}
