/** The library against the vectors of the log, of revocations and of links between cards. */
import type {
  CardLinkCase,
  LogEntryCase,
  LogHeadCase,
  LogHistoryCase,
  LogHistoryVector,
  LogLookupCase,
  LogMapCase,
  LogTreeCase,
  RevocationCase,
} from '../../../spec/vector-files.ts';
import {
  curves,
  decodeEntry,
  decodeHead,
  detailOf,
  EMPTY_HISTORY,
  EncryptionError,
  extendHistory,
  hashLeaf,
  identityHash,
  importCard,
  lookupFromJson,
  parseIdentity,
  parseRevocation,
  readHistory,
  verifyConsistency,
  verifyEndorsement,
  verifyHead,
  verifyInclusion,
  verifyLookup,
  verifyMapProof,
  verifyRevocation,
  verifySuccession,
  type IdentityHistory,
  type LogHead,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { equal, hex, utf8Text } from '../../src/protocol/primitives.ts';
import { bytes, fromBase64url, vectors } from './vector-runner.ts';

async function verifyingKey(key: string): Promise<VerifyingKey> {
  return (await curves()).importVerifyingKey(bytes(key));
}

function verifyingKeys(keys: readonly string[]): Promise<readonly VerifyingKey[]> {
  return Promise.all(keys.map(verifyingKey));
}

function ensure(condition: boolean, code: 'LOG_INVALID' | 'BAD_SIGNATURE'): void {
  if (!condition) throw new EncryptionError(code, 'It is not proven.');
}

const nothing = (): undefined => undefined;

vectors<RevocationCase>(
  'revocation',
  async (one) => {
    const revocation = parseRevocation(one.export);
    if (one.key !== undefined) {
      const key = await verifyingKey(one.key);
      ensure(await verifyRevocation(revocation, key), 'BAD_SIGNATURE');
    }
    const { content, cardId, reason, since, revokedAt, signer } = revocation;
    const text = utf8Text(content);
    return { content: text, cardId, reason, since, revokedAt, signer };
  },
  (one) => one.revocation,
);

vectors<CardLinkCase>(
  'card-links',
  async ({ link, card, earlier }) => {
    const verify = link === 'succession' ? verifySuccession : verifyEndorsement;
    ensure(await verify(await importCard(card), await importCard(earlier)), 'BAD_SIGNATURE');
    return undefined;
  },
  nothing,
);

vectors<LogEntryCase>(
  'log-entry',
  ({ logKey, identity, entry: encoded, content }) => {
    const entry = decodeEntry(bytes(encoded));
    if (!entry) throw new EncryptionError('LOG_INVALID', 'Not an entry.');
    const { detail, identityHash: hash } = entry;
    ensure(equal(hash, identityHash(bytes(logKey), parseIdentity(identity))), 'LOG_INVALID');
    ensure(equal(detail, detailOf(content)), 'LOG_INVALID');
    const history = hex.encode(extendHistory(EMPTY_HISTORY, bytes(encoded)));
    return { ...entry, identityHash: hex.encode(hash), detail: hex.encode(detail), history };
  },
  (one) => one.value,
);

async function signedHead(logKey: VerifyingKey, encoded: Uint8Array): Promise<LogHead> {
  const head = decodeHead(new Uint8Array(encoded));
  if (!head) throw new EncryptionError('LOG_INVALID', 'Not a head.');
  ensure(await verifyHead(logKey, head), 'LOG_INVALID');
  return head;
}

vectors<LogHeadCase>(
  'log-head',
  async ({ logKey, head }) => {
    const { size, root, signedAt } = await signedHead(await verifyingKey(logKey), bytes(head));
    return { size, root: hex.encode(root), signedAt };
  },
  (one) => one.value,
);

vectors<LogMapCase>(
  'log-map',
  ({ root, identityHash: key, leaf, siblings, other }) => {
    const history = leaf && { count: leaf.count, history: bytes(leaf.history) };
    const proof = {
      siblings: siblings.map(bytes),
      other: other && {
        identityHash: bytes(other.identityHash),
        count: other.count,
        history: bytes(other.history),
      },
    };
    ensure(verifyMapProof(bytes(root), bytes(key), history, proof), 'LOG_INVALID');
    return undefined;
  },
  nothing,
);

vectors<LogTreeCase>(
  'log-tree',
  ({ inclusion, consistency, proof }) => {
    const hashes = proof.map(bytes);
    if (inclusion) {
      const { leaf, index, size, root } = inclusion;
      const hash = hashLeaf(bytes(leaf));
      ensure(verifyInclusion(hash, index, size, hashes, bytes(root)), 'LOG_INVALID');
    }
    if (consistency) {
      const { from, to } = consistency;
      const [older, newer] = [bytes(from.root), bytes(to.root)];
      const sides = [
        { ...from, root: older },
        { ...to, root: newer },
      ] as const;
      ensure(verifyConsistency(...sides, hashes), 'LOG_INVALID');
    }
    return undefined;
  },
  nothing,
);

function described({ count, hash, invalid, cards }: IdentityHistory): LogHistoryVector {
  return {
    count,
    hash: hex.encode(hash),
    invalid,
    cards: cards.map(({ card, ...rest }) => ({ cardId: card.id, ...rest })),
  };
}

vectors<LogHistoryCase>(
  'log-history',
  async ({ identity, appKeys, entries }, { logKey, contents }) => {
    const given = entries.map(({ entry, content }) => ({
      entry: bytes(entry),
      content: contents[content] ?? '',
    }));
    const history = await readHistory(given, {
      identity: parseIdentity(identity),
      logKey: bytes(logKey),
      appKeys: await verifyingKeys(appKeys),
    });
    if (!history) throw new EncryptionError('LOG_INVALID', 'Not a history.');
    return described(history);
  },
  (one) => one.history,
);

vectors<LogLookupCase>(
  'log-lookup',
  async (one, { logKey: key }) => {
    const logKey = await verifyingKey(key);
    const head = await signedHead(logKey, fromBase64url(one.head));
    const lookup = lookupFromJson(one.lookup);
    if (!lookup) throw new EncryptionError('LOG_INVALID', 'Not a lookup.');
    const appKeys = await verifyingKeys(one.appKeys);
    const identities = one.identities.map(parseIdentity);
    const histories = await verifyLookup(lookup, { logKey, appKeys, head, identities });
    return identities.map((identity) => {
      const history = histories.get(identity);
      return history && described(history);
    });
  },
  (one) => one.histories,
);
