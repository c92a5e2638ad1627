import type { Bytes } from '../protocol/primitives.ts';

/**
 * Where a device keeps its sealed key and what it remembers: pinned cards, message counters,
 * places of messages. Records are small, and sealed before they get here: the key under the password,
 * all else under the key. Whoever can write to the store can make the device forget, not lie.
 */
export interface KeyStore {
  /** The record of this name, or null when there is none; throws when it cannot be read. */
  get(name: string): Promise<Bytes | null>;
  /**
   * Replaces a record by what `change` makes of it (null: none, or delete). Atomic: of two updates
   * of one name, in whatever tab or process that shares the store, the later sees the earlier's
   * result. When `change` throws, nothing is written and its error is passed on.
   */
  update(name: string, change: (current: Bytes | null) => Bytes | null): Promise<void>;
}

/** A key store in memory: gone with the process. For tests, and for devices that keep nothing. */
export class MemoryKeyStore implements KeyStore {
  readonly #records = new Map<string, Bytes>();

  /** See {@link KeyStore.get}. */
  get(name: string): Promise<Bytes | null> {
    return Promise.resolve(this.#records.get(name)?.slice() ?? null);
  }

  /** See {@link KeyStore.update}. */
  update(name: string, change: (current: Bytes | null) => Bytes | null): Promise<void> {
    return Promise.resolve().then(() => {
      const next = change(this.#records.get(name)?.slice() ?? null);
      if (next === null) this.#records.delete(name);
      else this.#records.set(name, next.slice());
    });
  }
}
