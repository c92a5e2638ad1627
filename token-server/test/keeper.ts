/**
 * A token server without its HTTP: for tests that look at the log behind it, and for processes that
 * they start, in which there is no Vitest.
 */
import { randomBytes } from 'node:crypto';
import {
  base64url,
  createCard,
  createRevocation,
  curves,
  exportCard,
  type Bytes,
  type Card,
  type Identity,
  type LogHead,
  type LookupJson,
  type SigningKey,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { auditCards } from '../src/domain/card-audit.ts';
import { createCards, type Cards } from '../src/domain/cards.ts';
import { KnownHeads } from '../src/domain/known-heads.ts';
import { auditLog } from '../src/domain/log-audit.ts';
import { createLog, type Log } from '../src/domain/log.ts';
import type { Session } from '../src/domain/sessions.ts';
import { Lookup } from '../src/http/schemas.ts';
import type { Store } from '../src/index.ts';

const backEnd = await curves();

/** The seeds of a server's keys. */
export interface Seeds {
  readonly app: Bytes;
  readonly log: Bytes;
}

/** New keys for a server. */
export function createSeeds(): Seeds {
  return { app: seed(), log: seed() };
}

/** Those of a server with this environment. */
export function seedsOf(env: Readonly<Record<string, string>>): Seeds {
  const [app, log] = ['APP_PRIVATE_KEY', 'LOG_PRIVATE_KEY'].map((name) =>
    base64url.decode(env[name] ?? ''),
  );
  if (app && log) return { app, log };
  throw new Error('There are no keys in the environment.');
}

function seed(): Bytes {
  return Uint8Array.from(randomBytes(32));
}

/** What a server is made of. */
export interface Keeper {
  readonly store: Store;
  readonly log: Log;
  readonly cards: Cards;
  readonly appKey: VerifyingKey;
  readonly logKey: VerifyingKey;
}

/** A server on a store; of one application, when the seeds are the same. */
export async function createKeeper(store: Store, seeds: Seeds = createSeeds()): Promise<Keeper> {
  const now = Date.now;
  const appKey = await backEnd.importSigningKey(seeds.app);
  const logKey = await backEnd.importSigningKey(seeds.log);
  const log = createLog({ log: store.log, logKey, now });
  return {
    store,
    log,
    cards: createCards({ store, log, appKey, now }),
    appKey: await backEnd.importVerifyingKey(appKey.publicKey),
    logKey: await backEnd.importVerifyingKey(logKey.publicKey),
  };
}

const Answer = z.object({ lookup: Lookup });

/** What the log says of these identities. */
export async function lookUp(
  { log }: Pick<Keeper, 'log'>,
  identities: readonly Identity[],
): Promise<LookupJson> {
  return Answer.parse(JSON.parse((await log.lookUp(identities, 0)).toString())).lookup;
}

/** A card and the key that it signs with. */
export interface Device {
  readonly card: Card;
  readonly key: SigningKey;
}

/** A device of an identity, whose card nobody approved yet. */
export async function makeDevice(identity: Identity, previous?: Card): Promise<Device> {
  const key = await backEnd.importSigningKey(seed());
  const agreement = await backEnd.importAgreementKey(seed());
  const content = { identity, createdAt: 1, ...(previous && { previousCardId: previous.id }) };
  return { key, card: await createCard(content, key, agreement) };
}

/** Of somebody who signs in elsewhere. */
export function sessionOf(identity: Identity): Session {
  return { identity, version: null };
}

/** Publishes new cards of an identity. */
export async function publishNew({ cards }: Keeper, identity: Identity): Promise<Device> {
  const device = await makeDevice(identity);
  await cards.publish(sessionOf(identity), exportCard(device.card));
  return device;
}

/** Ends a card of somebody, signed by a device of his. */
export async function revokeBy({ cards }: Keeper, { card }: Device, by: Device): Promise<void> {
  const content = { cardId: card.id, reason: 'retired', revokedAt: 5 } as const;
  const revocation = await createRevocation({ ...content, signer: by.card.id }, by.key);
  await cards.revoke(sessionOf(card.identity), card.id, revocation);
}

/** Whatever is wrong with the log and the cards, and with heads that were seen of the log. */
export async function findingsOf(
  { store, appKey, logKey }: Keeper,
  seen: readonly LogHead[] = [],
): Promise<string[]> {
  const findings: string[] = [];
  const report = ({ where, what }: { where: string; what: string }): void => {
    findings.push(`${where}: ${what}`);
  };
  const heads = new KnownHeads(seen, report);
  const key = logKey.publicKey;
  await auditLog({ store, logKey: key, heads, report });
  await auditCards({ store, logKey: key, appKeys: [appKey], report });
  return findings;
}
