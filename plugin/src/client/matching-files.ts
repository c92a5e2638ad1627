import type { MediaDescriptor } from '../protocol/content.ts';
import { encryptedMediaLength } from '../protocol/media-length.ts';

/**
 * Which of the files that Twilio has belongs to which that the sender described: the next one of the
 * right length. A file that Twilio withholds leaves its place empty, and the others are found all
 * the same. That a file is the very one, its hash says when it is read.
 * @param sizes bytes of Twilio's files, in order
 * @returns for each descriptor the place of its file in `sizes`, or null
 */
export function matchingFiles(
  descriptors: readonly MediaDescriptor[],
  sizes: readonly number[],
): (number | null)[] {
  const taken = new Set<number>();
  return descriptors.map(({ size }) => {
    const length = encryptedMediaLength(size);
    const at = sizes.findIndex((one, index) => one === length && !taken.has(index));
    if (at < 0) return null;
    taken.add(at);
    return at;
  });
}
