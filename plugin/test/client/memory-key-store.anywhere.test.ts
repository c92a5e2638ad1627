import { MemoryKeyStore } from '../../src/client/key-store.ts';
import { describeKeyStore } from './key-store-suite.ts';

describeKeyStore('MemoryKeyStore', () => Promise.resolve(new MemoryKeyStore()));
