/** What a directory that lies does with the answers of one that does not. */
import type { Directory, LogAnswer } from 'twilio-chat-encryption';
import {
  lookupFromJson,
  lookupToJson,
  type FoundIdentity,
  type Identity,
  type Lookup,
} from 'twilio-chat-encryption/protocol';

/** What is answered otherwise than by the honest directory. */
export type Lie = (honest: Directory) => Partial<Directory>;

/** The directory, but for what is a lie. */
export function lying(honest: Directory, lie: Lie): Directory {
  return {
    publish: (card) => honest.publish(card),
    get: (id) => honest.get(id),
    revoke: (id, revocation) => honest.revoke(id, revocation),
    lookup: (identities, from) => honest.lookup(identities, from),
    lookupAt: (identity, size) => honest.lookupAt(identity, size),
    consistency: (from, to) => honest.consistency(from, to),
    ...lie(honest),
  };
}

/** Each lie about what the one before left. */
export function all(...lies: readonly Lie[]): Lie {
  return (honest) => lies.reduce((told, lie) => lying(told, lie), honest);
}

/** Other answers about identities. */
export function answering(
  change: (
    answer: LogAnswer,
    identities: readonly Identity[],
    honest: Directory,
  ) => LogAnswer | Promise<LogAnswer>,
): Lie {
  return (honest) => ({
    lookup: async (identities, from) =>
      change(await honest.lookup(identities, from), identities, honest),
  });
}

/** Other proofs, or entries, under the head that there is. */
export function proving(change: (lookup: Lookup) => Lookup): Lie {
  return answering((answer) => ({
    ...answer,
    lookup: lookupToJson(change(lookupOf(answer.lookup))),
  }));
}

/** Something else about each identity. */
export function finding(change: (found: FoundIdentity) => FoundIdentity): Lie {
  return proving((lookup) => ({ ...lookup, found: lookup.found.map(change) }));
}

/** Other JSON about each identity, of whatever form. */
export function writing(change: (found: Readonly<Record<string, unknown>>) => unknown): Lie {
  return answering((answer) => ({
    ...answer,
    lookup: { ...lookupToJson(lookupOf(answer.lookup)), found: foundIn(answer.lookup).map(change) },
  }));
}

function foundIn(lookup: unknown): Readonly<Record<string, unknown>>[] {
  return lookupToJson(lookupOf(lookup)).found.map((found) => ({ ...found }));
}

/** What an honest directory answered. */
export function lookupOf(json: unknown): Lookup {
  const lookup = lookupFromJson(json);
  if (lookup) return lookup;
  throw new Error('The answer is no lookup.');
}
