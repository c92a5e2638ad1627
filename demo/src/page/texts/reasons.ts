/** Every verdict about a message, in plain words. The types force the tables to be complete. */
import type {
  Anomaly,
  MessageEncryption,
  RejectionCode,
  Trust,
  UnavailableCode,
} from 'twilio-chat-encryption';

/** A verdict in words. */
export interface Reason {
  /** Short, for the list of messages. */
  readonly title: string;
  /** One or two sentences, for the details. */
  readonly text: string;
}

type PendingCode = Extract<MessageEncryption, { status: 'pending' }>['code'];

const REJECTED: Readonly<Record<RejectionCode, Reason>> = {
  PLAINTEXT: {
    title: 'Not encrypted',
    text: 'Somebody put readable text into this encrypted channel. Anybody with access to Twilio could have written it, so it is not shown.',
  },
  UNSUPPORTED_VERSION: {
    title: 'Written by a newer version',
    text: 'It uses a format that this version does not know. Reload the page to update.',
  },
  MALFORMED: {
    title: 'Damaged',
    text: 'It does not have the form of an encrypted message. It was damaged or made up on the way.',
  },
  COMMITMENT_MISMATCH: {
    title: 'Changed on the way',
    text: 'Its header or its list of recipients was changed after it was sent.',
  },
  DECRYPTION_FAILED: {
    title: 'Changed on the way',
    text: 'Its encrypted content was changed after it was sent. Even one flipped bit is noticed.',
  },
  BAD_SIGNATURE: {
    title: 'Forged signature',
    text: 'The person it claims to be from did not sign it, or signed it for other recipients.',
  },
  WRONG_CHANNEL: {
    title: 'Copied from another channel',
    text: 'It was written for another channel and was copied here by somebody else.',
  },
  WRONG_AUTHOR: {
    title: 'Shown under a wrong name',
    text: 'Twilio names an author who is not the one who signed it.',
  },
  REPLAYED: {
    title: 'Sent a second time',
    text: 'A message with this id was here before. Somebody repeated or replaced it.',
  },
  CARD_INVALID: {
    title: 'Sender not approved',
    text: 'The key it was signed with was never approved by this application.',
  },
  CARD_REVOKED: {
    title: 'Sender’s key was revoked',
    text: 'The key it was signed with was withdrawn, for example because a device was lost.',
  },
};

const UNAVAILABLE: Readonly<Record<UnavailableCode, Reason>> = {
  SENT_BEFORE_JOIN: {
    title: 'From before you joined',
    text: 'It was encrypted for the members at that time, and you were not one of them.',
  },
  SENT_BEFORE_DEVICE: {
    title: 'From before this device',
    text: 'It was encrypted for the devices you had at that time. This one did not exist yet.',
  },
  NOT_ADDRESSED: {
    title: 'Not encrypted for this device',
    text: 'Its sender did not include this device’s key. They may not have acknowledged it yet.',
  },
  KEY_MISSING: {
    title: 'Its key is missing',
    text: 'The key for this message was sent in another one, which is not in this channel.',
  },
  KEY_DELETED: {
    title: 'Its key was deleted',
    text: 'It was encrypted for a key that this device replaced since, and deleted as it was told to.',
  },
};

const PENDING: Readonly<Record<PendingCode, Reason>> = {
  CARD_PENDING: {
    title: 'Waiting for the sender’s key',
    text: 'The token server could not be asked about the sender. It is tried again by itself.',
  },
  KEY_PENDING: {
    title: 'Waiting for its key',
    text: 'The key for this message was sent in another one, which is not here yet. It is looked for again by itself.',
  },
  STORE_PENDING: {
    title: 'Waiting for this browser’s storage',
    text: 'The key store could not be read or written. It is tried again by itself.',
  },
};

const CLEAR: Reason = {
  title: 'Not encrypted',
  text: 'This channel is not encrypted: Twilio can read and change it.',
};

/** Why a message is not shown. */
export function reasonOf(encryption: Exclude<MessageEncryption, { status: 'verified' }>): Reason {
  switch (encryption.status) {
    case 'rejected':
      return REJECTED[encryption.code];
    case 'unavailable':
      return UNAVAILABLE[encryption.code];
    case 'pending':
      return PENDING[encryption.code];
    case 'clear':
      return CLEAR;
  }
}

/** What a status means. */
export const STATUS: Readonly<Record<MessageEncryption['status'], string>> = {
  verified: 'Verified',
  rejected: 'Rejected',
  unavailable: 'Not readable here',
  pending: 'Not decided yet',
  clear: 'Not encrypted',
};

/** How far a sender's key is trusted on this device. */
export const TRUST: Readonly<Record<Trust, Reason>> = {
  pinned: { title: 'Known key', text: 'The same key as before.' },
  verified: {
    title: 'Safety number compared',
    text: 'You compared this very key with the sender, in person or on a call.',
  },
  new: {
    title: 'First contact',
    text: 'This device saw the sender for the first time and remembers the key from now on.',
  },
  changed: {
    title: 'Key changed',
    text: 'Not the key that this device remembers: a new device, or an impostor. Compare before you acknowledge it.',
  },
};

/** What is odd about a message that is nevertheless verified. */
export const ANOMALY: Readonly<Record<Anomaly['code'], string>> = {
  CLOCK_SKEW: 'The sender’s clock and Twilio’s differ by more than five minutes.',
  GAP: 'Messages that this sender sent next to this one are missing.',
  OUT_OF_ORDER: 'It does not stand where its sender put it.',
  FORK: 'Its sender gave the same number to another message.',
  ROLLED_BACK: 'A later version of it was here before.',
  FILES_MISSING: 'Files that its sender attached are missing.',
  UNKNOWN_RECIPIENTS: 'It was also encrypted for devices that belong to nobody in this channel.',
};
