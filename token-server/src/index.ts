/** A token server for end-to-end-encrypted Twilio chat. */
export { readConfig, readDatabaseUrl, type Config, type Signers } from './config.ts';
export { ConfigError, type ConfigProblem, type Environment } from './environment.ts';
export { ServerError, type ServerErrorCode } from './domain/errors.ts';
export type { AccountRecord, NewAccountRecord } from './domain/account-record.ts';
export type { AuditReader, StoredCounts } from './domain/audit-store.ts';
export type { BackupRecord } from './domain/backup-record.ts';
export type { CardRecord, NewCardRecord } from './domain/card-record.ts';
export type {
  LogReader,
  LogWriter,
  ReadNodes,
  StoredEntry,
  StoredNode,
} from './domain/log-store.ts';
export type { SharedCounts } from './domain/shared-counts.ts';
export type { ScryptCost } from './domain/secret-hash.ts';
export type { KeySource, Signer } from './domain/signer.ts';
export type { Store, StoreTransaction } from './domain/store.ts';
export type { TokenRules } from './domain/foreign-tokens.ts';
export type { AuthConfig } from './auth-config.ts';
export type { Identify } from './http/authenticate.ts';
export type { TwilioCredentials } from './domain/twilio-tokens.ts';
export { listen, type Listening, type Timeouts } from './http/listen.ts';
export type { Problem } from './http/problem.ts';
export type { RateLimit } from './http/limiter.ts';
export type { RateLimits } from './http/rate-limit.ts';
export { restartLog } from './restart.ts';
export { createTokenServer, type TokenServer, type TokenServerDeps } from './server.ts';
export { openStore, type OpenedStore } from './store/open.ts';
