/**
 * End-to-end encryption for Twilio chat.
 *
 *     const alice = await Encryption.open({ identity: 'alice', … });
 *     const client = alice.wrapClient(await Client.create(token));
 */
export type { BackupState } from './client/backup.ts';
export type { SplitView } from './client/card-log.ts';
export type { Cards } from './client/cards.ts';
export type { ExportableCard } from './client/checked-cards.ts';
export type { OpenedBytes, SealedBytes } from './client/data-bytes.ts';
export type { BackupOptions } from './client/device-changes.ts';
export type { DeviceOptions } from './client/device-options.ts';
export type { DeviceEvents } from './client/device.ts';
export type { FailedAudit } from './client/witness.ts';
export type { BackupStore, Directory, StoredBackup } from './client/directory.ts';
export type { LogAnswer, LogSource } from './client/log-source.ts';
export { IndexedDbKeyStore } from './client/indexeddb-key-store.ts';
export type { DataSealer, Identified } from './client/data-sealer.ts';
export type { KeyPair, SavedKeyOptions } from './client/key-pair.ts';
export { MemoryKeyStore, type KeyStore, type RecordChange } from './client/key-store.ts';
export type { KeyOptions, Keys } from './client/keys.ts';
export type { Trust } from './client/pins.ts';
export type { OwnDevice, RevokeOptions } from './client/own-devices.ts';
export type { RemovalReason } from './client/presence.ts';
export type { NewRecipients, RecipientChoice } from './client/recipient-policy.ts';
export type { TrustedCard } from './client/safety-numbers.ts';
export type { ChannelChoice, NamedChannel } from './twilio/core/channel-rule.ts';
export type { AnyChannel, AnyClient } from './twilio/wrap.ts';
export type {
  Anomaly,
  MessageEncryption,
  PendingCode,
  UnavailableCode,
} from './client/message-encryption.ts';
export {
  Encryption,
  type EncryptionOptions,
  type RestoreOptions,
  type RestoredEncryption,
} from './encryption.ts';
export {
  EncryptionError,
  isEncryptionError,
  type ErrorCode,
  type RejectionCode,
  type UsageCode,
} from './errors.ts';
export type { CardId, ChannelSid, Identity, MessageId } from './protocol/identifiers.ts';
export type { Card, CardSignature, CardSigner } from './protocol/card.ts';
export type { VerifyingKey } from './protocol/curves.ts';
export type { RevocationReason } from './protocol/revocation.ts';
export { deriveAuthSecret } from './protocol/login.ts';
export type { Bytes } from './protocol/primitives.ts';
export type { SafetyNumber, SafetyNumberComparison } from './protocol/safety-number.ts';
