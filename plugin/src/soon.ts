/**
 * What is there at once, or is still to come. Messages of a page are opened side by side: what waits for nothing
 * is not to wait for all the others either, so that one is verified while the next one is decrypted.
 */
export type Soon<T> = T | Promise<T>;
