/** How much memory is held, and how much a large file takes on its way. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decryptMedia, encryptMedia } from 'twilio-chat-encryption/protocol';
import { checkLength, chunksOf, lengthOf, streamOf } from './files.ts';
import { random } from './peer.ts';

const MEGABYTE = 2 ** 20;

/** Frees what nobody holds, and tells what is left, in megabytes. */
export function used(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc(); gc();');
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MEGABYTE;
}

/** How many megabytes are held at most while a file of so many is encrypted and then decrypted. */
export async function heldByFile(megabytes: number): Promise<number> {
  const before = used();
  let most = 0;
  let told = 0;
  const onProgress = (): void => {
    told += 1;
    if (told % 64 === 0) most = Math.max(most, used() - before);
  };
  const stream = () => streamOf(chunksOf(megabytes));
  const key = random(32);
  const again = () => encryptMedia(stream(), () => key, { onProgress });
  const reading = again();
  await lengthOf(reading.ciphertext);
  const opened = decryptMedia(again().ciphertext, await reading.key, { onProgress });
  checkLength(await lengthOf(opened), megabytes);
  return most;
}
