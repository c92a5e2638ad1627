/** JSON records in a key store: what a device remembers. */
import { EncryptionError } from '../errors.ts';
import { utf8, utf8Text, type Bytes } from '../protocol/primitives.ts';
import type { KeyStore, RecordChange } from './key-store.ts';

/** Where the records of one device are: a part of its key store. */
export type Records = Pick<KeyStore, 'get' | 'update' | 'updateAll' | 'lock'>;

/** One kind of record: what it is when there is none, and what is a valid one. */
export interface StateType<T> {
  readonly initial: T;
  isValid(value: unknown): value is T;
}

/**
 * Updates a JSON record, atomically as {@link KeyStore.update}.
 * @returns what was stored, and what is stored now
 * @throws EncryptionError `KEY_RECORD_DAMAGED` when what is stored is not valid: starting afresh
 * would forget pins, or count a message number twice
 */
export async function updateState<T>(
  store: Records,
  name: string,
  type: StateType<T>,
  change: (current: T) => T,
): Promise<{ readonly before: T; readonly after: T }> {
  const results: { before: T; after: T }[] = [];
  const update = stateChange(name, type, (before) => {
    const after = change(before);
    results.push({ before, after });
    return after;
  });
  await store.update(name, update.change);
  const result = results.at(-1);
  if (!result) throw new TypeError('The key store did not call the change.');
  return result;
}

/** An update of a JSON record, as {@link updateState} makes it, for {@link updateRecords}. */
export function stateChange<T>(
  name: string,
  type: StateType<T>,
  change: (current: T) => T,
): RecordChange {
  return {
    name,
    change(current) {
      const before = current === null ? type.initial : parse(current, name, type);
      const after = change(before);
      return after === before ? current : utf8(JSON.stringify(after));
    },
  };
}

// Some milliseconds of sealing on a desktop: between them the page can draw.
const MAX_TOGETHER = 50;

/** Makes many updates, see {@link KeyStore.updateAll}; some at a time together, if the store can. */
export async function updateRecords(
  store: Pick<KeyStore, 'update' | 'updateAll'>,
  changes: readonly RecordChange[],
): Promise<void> {
  if (!store.updateAll) {
    for (const { name, change } of changes) await store.update(name, change);
    return;
  }
  for (let at = 0; at < changes.length; at += MAX_TOGETHER) {
    await store.updateAll(changes.slice(at, at + MAX_TOGETHER));
  }
}

/** Reads a JSON record; errors as {@link updateState}. */
export async function readState<T>(store: Records, name: string, type: StateType<T>): Promise<T> {
  const current = await store.get(name);
  return current === null ? type.initial : parse(current, name, type);
}

function parse<T>(bytes: Bytes, name: string, type: StateType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(utf8Text(bytes) ?? '');
  } catch {
    // Not valid either way.
  }
  if (type.isValid(value)) return value;
  throw new EncryptionError('KEY_RECORD_DAMAGED', `The stored record ${name} is damaged.`);
}
