import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { checkLength, chunksOf, type FilePeer } from './files.ts';
import { random } from './peer.ts';

const TAG = { authTagLength: 16 } as const;

function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  return nonce;
}

/** The floor of files: the same cipher and the same hash in node:crypto. */
export const floorFiles: FilePeer = {
  name: 'floor: node:crypto',
  differs: 'ChaCha20-Poly1305 and SHA-256 of each chunk, and nothing else.',
  encrypt(megabytes) {
    const key = random(32);
    const hash = createHash('sha256');
    const encrypted = Array.from(chunksOf(megabytes), (chunk, index) => {
      const cipher = createCipheriv('chacha20-poly1305', key, nonceOf(index), TAG);
      const ciphertext = Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
      hash.update(ciphertext);
      return ciphertext;
    });
    const expected = hash.digest();
    return Promise.resolve(() => {
      const hashed = createHash('sha256');
      let length = 0;
      for (const [index, ciphertext] of encrypted.entries()) {
        hashed.update(ciphertext);
        const decipher = createDecipheriv('chacha20-poly1305', key, nonceOf(index), TAG);
        decipher.setAuthTag(ciphertext.subarray(-16));
        length += decipher.update(ciphertext.subarray(0, -16)).length + decipher.final().length;
      }
      if (!hashed.digest().equals(expected)) throw new Error('Not the file that was sent.');
      checkLength(length, megabytes);
    });
  },
};
