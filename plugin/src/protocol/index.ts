/**
 * The protocol: bytes in, bytes out. No state, no network, no clock, no Twilio. What a server, an
 * auditor or a test needs; applications use the package's main entry.
 */
export {
  EncryptionError,
  isEncryptionError,
  type ErrorCode,
  type RejectionCode,
  type UsageCode,
} from '../errors.ts';
export {
  approveCard,
  CARD_LIMITS,
  checkApproval,
  createCard,
  exportCard,
  importCard,
  type Card,
  type CardContent,
  type CardSignature,
  type CardSigner,
} from './card.ts';
export { encodeContent, type Content, type Json } from './content.ts';
export { curves, type AgreementKey, type SigningKey, type VerifyingKey } from './curves.ts';
export { openMessage, sealMessage, type MessageReader, type VerifiedMessage } from './envelope.ts';
export {
  messageIdOf,
  parseCardId,
  parseChannelSid,
  parseIdentity,
  type CardId,
  type ChannelSid,
  type Identity,
  type MessageId,
} from './identifiers.ts';
export { openKeyRecord, sealKeyRecord } from './key-record.ts';
export { deriveAuthSecret } from './login.ts';
export type { SignedMessage } from './message.ts';
export { base64url, type Bytes, type RandomSource } from './primitives.ts';
export { createEphemeral, type Ephemeral, type SlotOpener } from './slot.ts';
