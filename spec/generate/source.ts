/** Randomness that is the same in every run: SHA-256 of a name and a counter. */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Bytes, RandomSource } from 'twilio-chat-encryption/protocol';

/** A source of its own for each name, so that a new vector changes no other. */
export function source(name: string): RandomSource {
  let counter = 0;
  return (length) => {
    const blocks: Uint8Array[] = [];
    for (let have = 0; have < length; have += 32) {
      blocks.push(sha256(utf8ToBytes(`twilio-chat-encryption vectors/${name}/${counter}`)));
      counter += 1;
    }
    return new Uint8Array(concatBytes(...blocks)).slice(0, length);
  };
}

/** `length` bytes of the source of this name. */
export function bytesOf(name: string, length = 32): Bytes {
  return source(name)(length);
}
