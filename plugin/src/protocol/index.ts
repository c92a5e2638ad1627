/**
 * The protocol: bytes in, bytes out. No state, no network, no clock, no Twilio. What a server, an
 * auditor or a test needs; applications use the package's main entry. Minor versions may add exports, and
 * members to what is given; bytes stay as the specification's version says.
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
export { endorseCard, succeedCard, verifyEndorsement, verifySuccession } from './card-links.ts';
export { encodeContent, type Content, type Json, type MediaDescriptor } from './content.ts';
export {
  curves,
  type AgreementKey,
  type Curves,
  type SigningKey,
  type VerifyingKey,
} from './curves.ts';
export type { Encapsulation, Kem, KemKey } from './kem.ts';
export {
  parseEnvelope,
  parseEnvelopeBytes,
  type Envelope,
  type EnvelopeType,
  type SessionReference,
  type Slots,
  type Suite,
} from './header.ts';
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
export {
  createRevocation,
  parseRevocation,
  saysMore,
  verifyRevocation,
  type Revocation,
  type RevocationContent,
  type RevocationReason,
  type RevocationSigner,
} from './revocation.ts';
export {
  decodeEntry,
  decodeLeaf,
  detailOf,
  EMPTY_HISTORY,
  encodeEntry,
  encodeLeaf,
  extendHistory,
  identityHash,
  type LogEntry,
} from './log/entry.ts';
export { decodeHead, encodeHead, signHead, verifyHead, type LogHead } from './log/head.ts';
export {
  acceptCard,
  readHistory,
  type AcceptCard,
  type EntryWithContent,
  type HistoryContext,
  type IdentityHistory,
  type LoggedCard,
} from './log/history.ts';
export { verifyLookup, type FoundIdentity, type Lookup, type LookupContext } from './log/lookup.ts';
export {
  lookupFromJson,
  lookupToJson,
  type FoundJson,
  type LookupJson,
} from './log/lookup-json.ts';
export { EMPTY_MAP, verifyMapProof, type MapLeaf, type MapProof } from './log/map.ts';
export {
  findInMap,
  putIntoMap,
  type ChangedMap,
  type FoundInMap,
  type MapNode,
  type ReadMap,
} from './log/map-proofs.ts';
export { EMPTY_TREE_ROOT, hashLeaf, verifyConsistency, verifyInclusion } from './log/tree.ts';
export {
  appendLeaf,
  consistencyProof,
  inclusionProof,
  treeRoot,
  type ReadTree,
  type TreeNode,
} from './log/tree-proofs.ts';
export { deriveAuthSecret } from './login.ts';
export type { EditTarget, SignedMessage } from './message.ts';
export {
  openMessage,
  sealFollower,
  sealMessage,
  type MessageReader,
  type SealedMessage,
  type VerifiedMessage,
} from './message-envelope.ts';
export { encryptedMediaLength } from './media-length.ts';
export {
  decryptMedia,
  encryptMedia,
  type EncryptedMedia,
  type MediaKey,
  type MediaProgress,
} from './media.ts';
export type { Encoding } from './encodings.ts';
export { base64url, type Bytes, type RandomSource } from './primitives.ts';
export {
  compareSafetyNumbers,
  safetyNumber,
  type SafetyNumber,
  type SafetyNumberComparison,
  type SafetyNumberSide,
} from './safety-number.ts';
export {
  openData,
  sealData,
  type OpenedData,
  type SealedData,
  type SealedMode,
} from './sealed-data.ts';
export { openStream, sealStream, type OpenedStream } from './sealed-stream.ts';
export type { Session } from './session.ts';
export { createEphemeral, x25519Slots, type Ephemeral, type SlotOpener } from './slot.ts';
export { countUnknownSlots, type SlotSealer } from './slot-parts.ts';
export { xwingSlots } from './slot-xwing.ts';
export { xwing } from './xwing.ts';
export type { Soon } from '../soon.ts';
