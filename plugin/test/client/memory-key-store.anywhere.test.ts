import { MemoryKeyStore } from 'twilio-chat-encryption';
import { describeKeyStore } from './key-store-suite.ts';

describeKeyStore('MemoryKeyStore', () => Promise.resolve(new MemoryKeyStore()));
