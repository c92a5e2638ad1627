/** What is used of `fs-native-extensions`, which has no types of its own. */
declare module 'fs-native-extensions' {
  /** Locks an open file as a whole; false when another open file, of whatever process, has the lock. */
  export function tryLock(fd: number): boolean;
}
