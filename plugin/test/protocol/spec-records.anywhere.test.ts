/** The vectors that need Argon2id, see `spec-vectors.anywhere.test.ts`. */
import { deriveAuthSecret, openKeyRecord } from 'twilio-chat-encryption/protocol';
import type { KeyRecordCase, LoginCase } from '../../../spec/vector-files.ts';
import { hex } from '../../src/protocol/primitives.ts';
import { bytes, vectors } from './vector-runner.ts';

vectors<KeyRecordCase>(
  'key-record',
  async ({ recordName, record, password }) =>
    hex.encode(await openKeyRecord(recordName, bytes(record), password)),
  (one) => one.secret,
);

vectors<LoginCase>(
  'login',
  ({ password, identity, origin }) => deriveAuthSecret(password, identity, origin),
  (one) => one.authSecret,
);
