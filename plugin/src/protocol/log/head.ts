/** Heads of the log: what its key signs of the whole log at one time. */
import { byteReader, uint } from '../bytes.ts';
import type { SigningKey, VerifyingKey } from '../curves.ts';
import { isTime } from '../time.ts';
import { concat, hex, type Bytes } from '../primitives.ts';
import { sign, verify } from '../signature.ts';

/** A head of the log, 112 bytes. */
export interface LogHead {
  /** How many entries the log has. */
  readonly size: number;
  /** The root of the log's tree, 32 bytes. */
  readonly root: Bytes;
  /** By the log's clock: milliseconds since 1970-01-01 UTC. */
  readonly signedAt: number;
  /** Ed25519, 64 bytes, by the log's key. */
  readonly signature: Bytes;
}

/** How long a head is, in bytes. */
export const HEAD_LENGTH = 112;

/** A head of a log of this size and root. */
export async function signHead(
  logKey: SigningKey,
  { size, root, signedAt }: Omit<LogHead, 'signature'>,
): Promise<LogHead> {
  const signature = await sign(logKey, 'log-head', ...signedParts({ size, root, signedAt }));
  return { size, root, signedAt, signature };
}

/** Whether the log's key signed this head. */
export function verifyHead(logKey: VerifyingKey, head: LogHead): Promise<boolean> {
  return verify(logKey, 'log-head', head.signature, ...signedParts(head));
}

/** Names what a head is of: the same for the same log at the same size, whenever it was signed. */
export function treeOf({ size, root }: LogHead): string {
  return `${size} ${hex.encode(root)}`;
}

/** The bytes of a head. */
export function encodeHead(head: LogHead): Bytes {
  return concat(...signedParts(head), head.signature);
}

/** The head of these bytes, or null when they are none. Whether it is signed is not checked. */
export function decodeHead(bytes: Bytes): LogHead | null {
  if (bytes.length !== HEAD_LENGTH) return null;
  try {
    const reader = byteReader(bytes);
    const size = reader.uint(8);
    const root = reader.take(32);
    const signedAt = reader.uint(8);
    return isTime(signedAt) ? { size, root, signedAt, signature: reader.take(64) } : null;
  } catch {
    return null;
  }
}

function signedParts({ size, root, signedAt }: Omit<LogHead, 'signature'>): readonly Bytes[] {
  return [uint(size, 8), root, uint(signedAt, 8)];
}
