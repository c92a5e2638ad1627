/** What only Node can run. */
export { FileKeyStore } from './client/file-key-store.ts';
