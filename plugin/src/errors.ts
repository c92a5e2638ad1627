/**
 * Why a message that arrived is not shown. These are verdicts about bytes that somebody else
 * controls, so they appear as `message.encryption.code`; the low-level functions throw them. Minor
 * versions may add codes: a `switch` needs a `default`.
 *
 * - `PLAINTEXT` the body is not an envelope, in a channel that is encrypted
 * - `UNSUPPORTED_VERSION` an envelope of a version, type or suite this release does not know, or a
 *   scanned safety number of such a version
 * - `MALFORMED` not one of the byte strings that the specification allows
 * - `COMMITMENT_MISMATCH` the header, a slot or the commitment was changed
 * - `DECRYPTION_FAILED` the ciphertext was changed
 * - `BAD_SIGNATURE` not signed by the card it names, or signed for other recipients
 * - `WRONG_CHANNEL` written for another channel
 * - `WRONG_AUTHOR` Twilio names another author than the card's identity
 * - `REPLAYED` its message id was already used by another message
 * - `CARD_INVALID` a card that does not check, or is not approved under a pinned application key
 * - `CARD_REVOKED` the sender's card was revoked
 */
export type RejectionCode =
  | 'PLAINTEXT'
  | 'UNSUPPORTED_VERSION'
  | 'MALFORMED'
  | 'COMMITMENT_MISMATCH'
  | 'DECRYPTION_FAILED'
  | 'BAD_SIGNATURE'
  | 'WRONG_CHANNEL'
  | 'WRONG_AUTHOR'
  | 'REPLAYED'
  | 'CARD_INVALID'
  | 'CARD_REVOKED';

/**
 * Why something that was asked for was not done. Minor versions may add codes: a `switch` needs a
 * `default`.
 *
 * - `INVALID_ARGUMENT` a value of the wrong type, form or length; the message names it
 * - `INVALID_IDENTITY` not an identity: 1 to 256 characters of text in Unicode form NFC, without
 *   control, invisible or blank characters
 * - `INVALID_KEY` a key of the wrong length, not canonical, or of small order
 * - `INVALID_CONTENT` content that JSON cannot carry, nested deeper than 32, or ill-formed text
 * - `WRONG_PASSWORD` the password does not open the stored key, or the backup: `passwordOf` says which
 * - `KEY_RECORD_DAMAGED` the stored key is not what was saved
 * - `KEY_EXISTS` a key is saved under this name; nothing was overwritten
 * - `KEY_NOT_FOUND` no key is saved under this name
 * - `KEY_STORE_UNAVAILABLE` the key store could not be read or written
 * - `KEY_STORE_FULL` there is no room in the key store: nothing was written, and it can still be read
 * - `DEVICE_BUSY` another tab or process of this device is sending, for too long or because it was
 *   suspended: nothing was done; try again
 * - `DEVICE_REMOVED` the device's key is not in its key store any more, or it is another one: it was
 *   removed meanwhile, in another tab perhaps. This device is closed; open it again
 * - `DEVICE_REVOKED` this device's card was revoked, or replaced by another: it can read what was sent
 *   before, and send nothing
 * - `OWN_CARD_INVALID` the server did not approve this device's own card under a pinned key
 * - `APP_KEY_UNKNOWN` no pinned `appKey` approved any card of these people, named likewise: the application
 *   has another key by now, and needs an update
 * - `LOG_KEY_UNKNOWN` another key than the pinned `logKey` signed what the token server says: the
 *   application needs an update, or another `logKey`
 * - `LOG_CHANGED` the token server began another log, whose key is pinned too: open the device again
 * - `LOG_INVALID` the token server's answer does not prove what it says
 * - `LOG_STALE` the token server's log is not of today, or an older one than it showed before
 * - `SPLIT_VIEW` the token server showed different people different logs
 * - `CARD_NOT_FOUND` the directory has no card of this id, or it is no card of one's own
 * - `BACKUP_NOT_FOUND` there is no backup to restore
 * - `BACKUP_ROLLED_BACK` the server has an older backup than this device made or read: nothing was saved
 * - `BACKUP_CHANGED` other devices change the backup at the same time: nothing was saved; try again
 * - `BACKUP_TOO_LARGE` the keys of all cards are more than a server keeps: nothing was saved; delete old
 *   ones, see `keepKeysDays`
 * - `MEMBER_WITHOUT_CARD` members who have no card yet; the message and `identities` name them
 * - `KEY_CHANGED` members all of whose cards are new and not acknowledged; named likewise. The event
 *   `keyChanged` gives the ids of the cards, for `acknowledge`. Of a safety number: one's own name has
 *   a card that was not acknowledged
 * - `SAFETY_NUMBER_CHANGED` the digits are not those of the safety number any more, since somebody has
 *   other devices now, or never were: nothing was marked; compare anew
 * - `NOT_A_MEMBER` this person is no member of the channel, or not any more: nothing was sent
 * - `RECIPIENT_UNAPPROVED` members whom the application did not approve; named likewise
 * - `MEMBER_WITHOUT_POST_QUANTUM_KEY` members none of whose cards has a key of suite 2, on a device
 *   with `postQuantum`; or whose card has none, where data is sealed by or for one that has; named
 *   likewise
 * - `SUITE_DOWNGRADE` suite 2 was used in this channel, and this device's card has no key of it
 * - `POST_QUANTUM_UNAVAILABLE` the code of suite 2 could not be loaded; try again
 * - `CODE_UNAVAILABLE` a part of this library that is loaded when it is needed could not be; try again,
 *   or reload the page
 * - `MESSAGE_TOO_LARGE` the encrypted message would exceed Twilio's limit, or data to seal is over
 *   64 MiB: seal it as a stream
 * - `TOO_MANY_RECIPIENTS` more recipient cards than an envelope can hold
 * - `NOT_ADDRESSED` sealed data that was not encrypted for this key
 * - `DELIVERY_UNKNOWN` the connection broke while a message was sent, again and again: it may or may
 *   not have arrived; look before sending it once more
 * - `FILE_UNREACHABLE` Twilio does not give a file of a message; try again
 * - `NOT_SUPPORTED_ENCRYPTED` a call that would send content in the clear, or that is not there yet
 * - `DIRECTORY_UNREACHABLE` no answer from the token server, or none from `authorize`, which failed or
 *   took too long; try again
 * - `DIRECTORY_REFUSED` the token server refused the request and said why
 * - `UNAUTHORIZED` the session token was refused, also after `authorize` was asked for a new one; or
 *   what `authorize` gave is none
 * - `CLOSED` used after `close()`
 */
export type UsageCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_IDENTITY'
  | 'INVALID_KEY'
  | 'INVALID_CONTENT'
  | 'WRONG_PASSWORD'
  | 'KEY_RECORD_DAMAGED'
  | 'KEY_EXISTS'
  | 'KEY_NOT_FOUND'
  | 'KEY_STORE_UNAVAILABLE'
  | 'KEY_STORE_FULL'
  | 'DEVICE_BUSY'
  | 'DEVICE_REMOVED'
  | 'DEVICE_REVOKED'
  | 'OWN_CARD_INVALID'
  | 'APP_KEY_UNKNOWN'
  | 'LOG_KEY_UNKNOWN'
  | 'LOG_CHANGED'
  | 'LOG_INVALID'
  | 'LOG_STALE'
  | 'SPLIT_VIEW'
  | 'CARD_NOT_FOUND'
  | 'BACKUP_NOT_FOUND'
  | 'BACKUP_ROLLED_BACK'
  | 'BACKUP_CHANGED'
  | 'BACKUP_TOO_LARGE'
  | 'MEMBER_WITHOUT_CARD'
  | 'KEY_CHANGED'
  | 'SAFETY_NUMBER_CHANGED'
  | 'NOT_A_MEMBER'
  | 'RECIPIENT_UNAPPROVED'
  | 'MEMBER_WITHOUT_POST_QUANTUM_KEY'
  | 'SUITE_DOWNGRADE'
  | 'POST_QUANTUM_UNAVAILABLE'
  | 'CODE_UNAVAILABLE'
  | 'MESSAGE_TOO_LARGE'
  | 'TOO_MANY_RECIPIENTS'
  | 'NOT_ADDRESSED'
  | 'DELIVERY_UNKNOWN'
  | 'FILE_UNREACHABLE'
  | 'NOT_SUPPORTED_ENCRYPTED'
  | 'DIRECTORY_UNREACHABLE'
  | 'DIRECTORY_REFUSED'
  | 'UNAUTHORIZED'
  | 'CLOSED';

/** Every `code` that an {@link EncryptionError} can carry. Minor versions may add some. */
export type ErrorCode = RejectionCode | UsageCode;

// In the registry that all copies share: a page may have bundled the package twice.
const BRAND = Symbol.for('twilio-chat-encryption/EncryptionError');

/**
 * The one error of this library. Programs decide by `code`, which is stable; `message` is for
 * people, says what to do, and never contains a secret or the plaintext of a message.
 */
export class EncryptionError extends Error {
  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /** `EncryptionError`. */
  override readonly name = 'EncryptionError';
  /** Why: for programs. */
  readonly code: ErrorCode;
  /** The identities the error is about, for `MEMBER_WITHOUT_…`, `RECIPIENT_UNAPPROVED`,
   * `APP_KEY_UNKNOWN` and `KEY_CHANGED`; empty for other codes. */
  readonly identities: readonly string[];
  /** Whose password it is, for `WRONG_PASSWORD`: this device's, or that of the backup. Null for that of
   * a saved key pair, and for other codes. */
  readonly passwordOf: 'device' | 'backup' | null;

  /**
   * @param message for people; with no secret in it
   * @param options `cause`: the error behind this one; the others: see the members of these names
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown;
      identities?: readonly string[];
      passwordOf?: 'device' | 'backup';
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.identities = options.identities ?? [];
    this.passwordOf = options.passwordOf ?? null;
  }
}

/**
 * Whether `error` is an {@link EncryptionError}, and one of these codes if any are given. Also of one
 * that another copy of this package made, of which `instanceof` knows nothing.
 */
export function isEncryptionError(
  error: unknown,
  ...codes: readonly ErrorCode[]
): error is EncryptionError {
  return isBranded(error) && (codes.length === 0 || codes.includes(error.code));
}

function isBranded(error: unknown): error is EncryptionError {
  return typeof error === 'object' && error !== null && Reflect.get(error, BRAND) === true;
}
