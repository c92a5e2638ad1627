/** Cards that are looked up in the log. */
import {
  approveCard,
  createCard,
  curves,
  exportCard,
  parseIdentity,
  signHead,
  treeRoot,
  verifyLookup,
} from 'twilio-chat-encryption/protocol';
import { KeptLog } from '../plugin/test/protocol/log/kept-log.ts';
import { at, make, random } from './peer.ts';

/** A lookup to be checked. */
export interface CardImport {
  /** Checks it as a device does: proofs, cards, signatures, approvals. */
  readonly lookUp: () => Promise<unknown>;
  /** As many signatures as are in it, all under one key that was imported before, and nothing else. */
  readonly verifySignatures: () => Promise<unknown>;
}

/** The lookup of so many people, one card each, in a log of no others. */
export async function cardImport(size: number): Promise<CardImport> {
  const backEnd = await curves();
  const appKey = await backEnd.importSigningKey(random(32));
  const log = new KeptLog(await backEnd.importSigningKey(random(32)));
  const identities = await make(size, async (index) => {
    const identity = parseIdentity(`person ${index}`);
    const signingKey = await backEnd.importSigningKey(random(32));
    const encryptionKey = await backEnd.importAgreementKey(random(32));
    const own = await createCard({ identity, createdAt: 1 }, signingKey, encryptionKey);
    const card = await approveCard(own, appKey, 1);
    const content = exportCard(card);
    await log.append({ operation: 'approve', time: 1, identity, cardId: card.id, content });
    return identity;
  });
  const root = await treeRoot(log.readTree, log.size);
  const head = await signHead(log.key, { size: log.size, root, signedAt: 1 });
  const lookup = await log.lookup(identities);
  const logKey = await backEnd.importVerifyingKey(log.key.publicKey);
  const appKeys = [await backEnd.importVerifyingKey(appKey.publicKey)];
  const message = random(400);
  const signature = await appKey.sign(message);
  const key = at(appKeys, 0);
  const twice = Array.from({ length: 2 * size }, () => key);
  return {
    lookUp: () => verifyLookup(lookup, { logKey, appKeys, head, identities }),
    verifySignatures: () => Promise.all(twice.map((each) => each.verify(signature, message))),
  };
}
