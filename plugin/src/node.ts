/** What only Node can run. */
export { FileKeyStore } from './client/file-key-store.ts';
export type { KeyStore, RecordChange } from './client/key-store.ts';
export type { Bytes } from './protocol/primitives.ts';
