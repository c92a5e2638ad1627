import type { VerifyingKey } from '../protocol/curves.ts';
import { encodeHead, verifyHead, type LogHead } from '../protocol/log/head.ts';
import { base64url } from '../protocol/primitives.ts';

const MAX_KEPT = 1000;

/** Whether the log's key signed a head, found out once of each: many messages carry the same one. */
export function signedHeads(logKey: VerifyingKey): (head: LogHead) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (head) => {
    // All of it, the signature too: what another one signed is another head.
    const name = base64url.encode(encodeHead(head));
    const found = known.get(name);
    if (found) return found;
    const verifying = verifyHead(logKey, head);
    if (known.size >= MAX_KEPT) known.clear();
    known.set(name, verifying);
    // A failure is the platform's, not the head's.
    verifying.catch(() => known.delete(name));
    return verifying;
  };
}
