import {
  EncryptionError,
  parseRevocation,
  exportCard,
  readHistory,
  base64url,
  type Bytes,
  type EntryWithContent,
  type LoggedCard,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { cardStatus } from './card-status.ts';
import type { Finding, Report } from './findings.ts';
import { isIdentity } from './identity.ts';
import type { StoredEntry } from './log-store.ts';
import type { CardRecord } from './card-record.ts';
import type { Store } from './store.ts';

/** What the cards of a database are compared with its log by. */
export interface CardAuditParts {
  readonly store: Store;
  /** The log's public key, 32 bytes. */
  readonly logKey: Bytes;
  /** All keys under which cards were approved that clients are to accept. */
  readonly appKeys: readonly VerifyingKey[];
  readonly report: Report;
}

// A history may have megabytes.
const PAGE = 20;

/**
 * Compares every card with what the log says of it: reads the history of each identity as a client
 * does, and reports where the server would answer otherwise.
 *
 * @returns how many cards there are
 */
export async function auditCards(parts: CardAuditParts): Promise<number> {
  let count = 0;
  for (let after = ''; ;) {
    const identities = await parts.store.audit.identities(after, PAGE);
    const last = identities.at(-1);
    if (last === undefined) return count;
    after = last;
    const audited = await auditIdentities(parts, identities);
    count += audited.count;
    // A server may have written between two of our queries: only what is so twice is so.
    const doubtful = [...new Set(audited.findings.map(({ identity }) => identity))];
    const { findings } = await auditIdentities(parts, doubtful);
    for (const { where, what } of findings) parts.report({ where, what });
  }
}

async function auditIdentities(
  parts: CardAuditParts,
  identities: readonly string[],
): Promise<{ count: number; findings: readonly (Finding & { readonly identity: string })[] }> {
  const { audit, log } = parts.store;
  const all = await audit.cardsOf(identities);
  const cards = Map.groupBy(all, ({ identity }) => identity);
  const stored = await log.entriesOf(identities, await log.size());
  const entries = Map.groupBy(stored, ({ identity }) => identity);
  const findings: (Finding & { identity: string })[] = [];
  for (const identity of identities) {
    const [own, itsEntries] = [cards.get(identity) ?? [], entries.get(identity) ?? []];
    for (const finding of await auditIdentity(parts, identity, own, itsEntries)) {
      findings.push({ ...finding, identity });
    }
  }
  return { count: all.length, findings };
}

async function auditIdentity(
  { logKey, appKeys }: CardAuditParts,
  identity: string,
  records: readonly CardRecord[],
  stored: readonly StoredEntry[],
): Promise<readonly Finding[]> {
  const where = `identity ${JSON.stringify(identity)}`;
  const history = isIdentity(identity)
    ? await readHistory(stored.map(decoded), { identity, logKey, appKeys })
    : null;
  if (!history) {
    return [{ where, what: 'Its entries and their contents do not belong together.' }];
  }
  const logged = new Map<string, LoggedCard>(history.cards.map((one) => [one.card.id, one]));
  const contents = new Set(stored.map(({ content }) => content));
  const known = new Set(records.map(({ id }) => id));
  const { invalid } = history;
  return [
    ...(invalid > 0 ? [{ where, what: `${invalid} of its entries count for nothing.` }] : []),
    ...records.flatMap((record) =>
      wrongs(record, logged.get(record.id), contents).map((what) => ({
        where: `card ${record.id}`,
        what,
      })),
    ),
    ...[...logged.keys()]
      .filter((id) => !known.has(id))
      .map((id) => ({ where: `card ${id}`, what: 'It is logged and not stored.' })),
  ];
}

/** What is wrong between a card as it is stored and as it is logged. */
function wrongs(
  record: CardRecord,
  logged: LoggedCard | undefined,
  contents: ReadonlySet<string>,
): readonly string[] {
  if (!contents.has(record.exported)) return ['It is not in the log as it is stored.'];
  // Somebody else's, or under another key: reported with the identity.
  if (!logged) return [];
  const { revocation } = record;
  // One entry for each time that others vouched for it.
  const isLatest = exportCard(logged.card) === record.exported;
  return [
    ...(isLatest ? [] : ['It is stored as it was logged before, and not as it was last.']),
    ...(cardStatus(record) === logged.status ? [] : [`It is ${logged.status} by the log.`]),
    ...(revocation === null || contents.has(revocation) ? [] : ['Its revocation is not logged.']),
    ...(reasonOf(revocation) === logged.reason ? [] : ['It is revoked for another reason.']),
  ];
}

function reasonOf(revocation: string | null): string | undefined {
  try {
    return revocation === null ? undefined : parseRevocation(revocation).reason;
  } catch (error) {
    if (error instanceof EncryptionError) return undefined;
    throw error;
  }
}

function decoded({ entry, content }: StoredEntry): EntryWithContent {
  return { entry: base64url.decode(entry) ?? new Uint8Array(), content };
}
