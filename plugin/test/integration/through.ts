import type { Directory } from 'twilio-chat-encryption';

/** Answers a question of a device to its directory, or does not. */
export type Answering = <T>(ask: () => Promise<T>) => Promise<T>;

/** A directory whose questions go through `answer`; publishing and revoking do not. */
export function through(directory: Directory, answer: Answering): Directory {
  return {
    publish: (card) => directory.publish(card),
    lookup: (identities, from) => answer(() => directory.lookup(identities, from)),
    lookupAt: (identity, size) => answer(() => directory.lookupAt(identity, size)),
    consistency: (from, to) => answer(() => directory.consistency(from, to)),
    revoke: (id, revocation) => directory.revoke(id, revocation),
    get: (id) => answer(() => directory.get(id)),
  };
}
