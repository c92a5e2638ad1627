import type { Bytes, RandomSource } from '../protocol/primitives.ts';
import { openStateRecord, sealStateRecord } from '../protocol/state-record.ts';
import type { KeyStore, RecordChange } from './key-store.ts';
import { updateRecords, type Records } from './state.ts';

/**
 * Records in a key store, sealed under a key, see `state-record.ts`.
 * @param scope what the names of its records begin with there, and those of its locks: whose they are
 */
export function sealedKeyStore(
  keyStore: KeyStore,
  scope: string,
  key: Bytes,
  random: RandomSource,
): Records {
  const within = (name: string): string => `${scope}/${name}`;
  const open = (name: string, record: Bytes | null): Bytes | null =>
    record && openStateRecord(key, name, record);

  function sealed({ name: outer, change }: RecordChange): RecordChange {
    const name = within(outer);
    return {
      name,
      change(record) {
        const current = open(name, record);
        const next = change(current);
        if (next === null || next === current) return next && record;
        return sealStateRecord(key, name, next, random);
      },
    };
  }

  return {
    async get(name) {
      const inner = within(name);
      return open(inner, await keyStore.get(inner));
    },
    update(name, change) {
      const update = sealed({ name, change });
      return keyStore.update(update.name, update.change);
    },
    updateAll: (changes) => updateRecords(keyStore, changes.map(sealed)),
    lock: (name, work) => keyStore.lock(within(name), work),
  };
}
