/** Cards of any form at all, signed by their own key: what a malicious holder or server can make. */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import type { Bytes, SigningKey } from 'twilio-chat-encryption/protocol';

/** base64url without padding. */
export const encoded = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);

/** base64url of a text's UTF-8 bytes. */
export const encodedText = (text: string): string => encoded(utf8ToBytes(text));

/** One entry of an export's `signatures`. */
export interface ForgedSignature {
  readonly signer: string;
  readonly signature: string;
  readonly extra?: string;
}

/** What a card signature covers, for these values whatever they are. */
export function signedBytes(signer: string, snapshot: Uint8Array, extra: Uint8Array): Bytes {
  const length = new DataView(new ArrayBuffer(6));
  length.setUint32(0, snapshot.length);
  length.setUint16(4, extra.length);
  const lengths = new Uint8Array(length.buffer);
  return new Uint8Array(
    concatBytes(
      utf8ToBytes('twilio-chat-encryption/v1/card-signature\0'),
      Uint8Array.of(signer.length),
      utf8ToBytes(signer),
      lengths.slice(0, 4),
      snapshot,
      lengths.slice(4),
      extra,
    ),
  );
}

/** A signature on a snapshot as `signer`, with any extra. */
export async function forgedSignature(
  key: SigningKey,
  snapshot: Uint8Array,
  signer = 'self',
  extra = '',
): Promise<ForgedSignature> {
  const signature = await key.sign(signedBytes(signer, snapshot, utf8ToBytes(extra)));
  return {
    signer,
    signature: encoded(signature),
    ...(extra !== '' && { extra: encodedText(extra) }),
  };
}

/** The export of a card with this snapshot and these signatures. */
export function forgedExport(snapshot: Uint8Array, signatures: readonly ForgedSignature[]): string {
  return encodedText(JSON.stringify({ contentSnapshot: encoded(snapshot), signatures }));
}

/** The export of a card that says exactly this, with one right signature of its own. */
export async function selfSigned(key: SigningKey, snapshot: string | Uint8Array): Promise<string> {
  const bytes = typeof snapshot === 'string' ? utf8ToBytes(snapshot) : snapshot;
  return forgedExport(bytes, [await forgedSignature(key, bytes)]);
}
