import type { Bytes, RandomSource } from '../protocol/primitives.ts';
import { openStateRecord, sealStateRecord } from '../protocol/state-record.ts';
import type { KeyStore } from './key-store.ts';

/** A key store whose records are sealed under the device's state key, see `state-record.ts`. */
export function sealedKeyStore(keyStore: KeyStore, key: Bytes, random: RandomSource): KeyStore {
  const open = (name: string, record: Bytes | null): Bytes | null =>
    record && openStateRecord(key, name, record);
  return {
    get: async (name) => open(name, await keyStore.get(name)),
    update: (name, change) =>
      keyStore.update(name, (record) => {
        const current = open(name, record);
        const next = change(current);
        if (next === null || next === current) return next && record;
        return sealStateRecord(key, name, next, random);
      }),
    lock: (name, work) => keyStore.lock(name, work),
  };
}
