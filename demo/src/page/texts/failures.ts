/** Everything that can fail, in plain words. */
import { isEncryptionError, type UsageCode } from 'twilio-chat-encryption';
import type { ServerErrorCode } from 'twilio-chat-encryption-server';
import { member } from '../session/json.ts';
import { ServerFailure } from '../session/server-failure.ts';

const ENCRYPTION: Readonly<Record<UsageCode, string>> = {
  INVALID_ARGUMENT: 'The encryption refused a value. This is a defect of the page.',
  INVALID_IDENTITY: 'This name cannot be used: it has invisible characters or is too long.',
  INVALID_KEY: 'A key does not have the right form.',
  INVALID_CONTENT: 'The message contains characters that cannot be sent.',
  WRONG_PASSWORD: 'This is not the password.',
  KEY_RECORD_DAMAGED: 'The key kept in this browser is damaged and cannot be used.',
  KEY_EXISTS: 'A key is kept under this name already.',
  KEY_NOT_FOUND: 'No key is kept under this name.',
  KEY_STORE_UNAVAILABLE:
    'This browser’s storage cannot be used, so there is no place for your key. A private window may be why.',
  KEY_STORE_FULL: 'This browser’s storage is full. Free some space, and try again.',
  DEVICE_BUSY: 'Not sent. Another tab of this chat is still sending. Try again in a moment.',
  DEVICE_REMOVED: 'Your key was removed from this browser, in another tab perhaps. Sign in again.',
  DEVICE_REVOKED: 'Not sent. This device was revoked. Sign in again with a new key.',
  OWN_CARD_INVALID:
    'The server did not approve this device’s key under the key pinned in this page. Reload the page; if that does not help, do not trust this server.',
  APP_KEY_UNKNOWN:
    'Not sent. The key pinned in this page approved none of their devices. Reload the page; if that does not help, do not trust this server.',
  LOG_KEY_UNKNOWN:
    'The server’s log is not the one whose key is pinned in this page. Reload the page; if that does not help, do not trust this server.',
  LOG_CHANGED: 'The server began another log. Reload the page.',
  LOG_INVALID: 'The server’s answer does not prove what it says. Its keys are not used.',
  LOG_STALE: 'The server shows an old state of its log. Try again later.',
  SPLIT_VIEW:
    'The server showed different people different keys. Do not trust new keys, and tell whoever runs it.',
  CARD_NOT_FOUND: 'The server has no such key.',
  BACKUP_NOT_FOUND: 'There is no backup of your keys.',
  BACKUP_ROLLED_BACK:
    'Not saved. The server shows an older backup than this device made: keys of your other devices may be missing in it.',
  BACKUP_CHANGED:
    'Not saved. Another device of yours changed the backup at the same time. Try again.',
  BACKUP_TOO_LARGE:
    'Not saved. Your devices have more old keys than the server keeps. Remove the backup, and make a new one on each device that you use.',
  MEMBER_WITHOUT_CARD: 'Not sent. A member has no key yet.',
  KEY_CHANGED: 'Not sent. A member’s key changed.',
  SAFETY_NUMBER_CHANGED: 'The safety number is another one now. Compare it again.',
  MEMBER_WITHOUT_POST_QUANTUM_KEY: 'Not sent. A member has no post-quantum key.',
  SUITE_DOWNGRADE:
    'Not sent. This channel is encrypted with post-quantum keys, and this device has none.',
  POST_QUANTUM_UNAVAILABLE:
    'A part of the encryption could not be loaded. Check the connection, then reload the page.',
  MESSAGE_TOO_LARGE:
    'Not sent. The message is too long: encrypted, it exceeds Twilio’s 32 KB. Shorten it or send it in parts.',
  TOO_MANY_RECIPIENTS: 'Not sent. The channel has more devices than one message can be sealed for.',
  DELIVERY_UNKNOWN:
    'The connection broke while the message was sent. It may have arrived: look before you send it again.',
  NOT_A_MEMBER: 'Not sent. You are not a member of this conversation any more.',
  RECIPIENT_UNAPPROVED: 'Not sent. It would go to people whom you have not approved.',
  FILE_UNREACHABLE: 'The file could not be loaded. Try again later.',
  NOT_ADDRESSED: 'This was not encrypted for your key.',
  NOT_SUPPORTED_ENCRYPTED: 'This is not supported in an encrypted chat.',
  CODE_UNAVAILABLE:
    'A part of this page could not be loaded. Check the connection, and reload the page.',
  DIRECTORY_UNREACHABLE: 'The token server does not answer. Try again in a moment.',
  DIRECTORY_REFUSED: 'The token server refused this device’s key.',
  UNAUTHORIZED: 'The session has ended. Sign in again.',
  CLOSED: 'The session has ended. Sign in again.',
};

// The server's own words stand in for codes that are not here.
const SERVER: Readonly<Partial<Record<ServerErrorCode | PageCode, string>>> = {
  UNREACHABLE: 'The server cannot be reached. Check that it is running, then try again.',
  TWILIO_UNREACHABLE: 'Twilio cannot be reached or refused the connection. Try again.',
  UNAVAILABLE: 'The server cannot answer right now. Try again in a moment.',
  INTERNAL: 'The server failed. Try again in a moment.',
  WRONG_CREDENTIALS: 'Wrong password, or nobody signed up under this name.',
  ACCOUNT_EXISTS: 'This name is taken. If it is yours, sign in instead.',
  INVALID_IDENTITY: 'This name cannot be used: it has invisible characters or is too long.',
  RATE_LIMITED: 'Too many attempts. Wait a few minutes, then try again.',
};

/** Codes of the page itself. */
type PageCode = 'UNREACHABLE' | 'TWILIO_UNREACHABLE';

// https://www.twilio.com/docs/api/errors
const TWILIO: Readonly<Record<number, string>> = {
  50003: 'The name is too long for Twilio.',
  50107: 'Twilio does not allow you to do this in this channel.',
  50200: 'Twilio knows nobody under this name. They have to sign in once.',
  50207: 'The name is too long for Twilio.',
  50208: 'This person is in too many channels.',
  50300: 'The channel does not exist any more.',
  50400: 'You are not a member of this channel any more.',
  50403: 'The channel has as many members as Twilio allows.',
  50404: 'This person is a member already.',
  50504: 'The message is too long for Twilio.',
};

/** What failed, for people. Secrets and plaintexts are in none of these texts. */
export function explain(error: unknown): string {
  if (isEncryptionError(error)) return ofEncryption(error.code, error.identities);
  if (error instanceof ServerFailure) {
    return new Map<string, string>(Object.entries(SERVER)).get(error.code) ?? error.message;
  }
  const code = twilioCode(error);
  const known = code === undefined ? undefined : TWILIO[code];
  if (known !== undefined) return known;
  return code === undefined
    ? 'This did not work. Check the connection and try again.'
    : `Twilio refused this (error ${code}).`;
}

function ofEncryption(code: string, identities: readonly string[]): string {
  const names = identities.join(', ');
  const verb = identities.length === 1 ? 'has' : 'have';
  if (code === 'MEMBER_WITHOUT_CARD') {
    return `Not sent. ${names} ${verb} no key yet and could not read it. They have to sign in here once; your text is kept.`;
  }
  if (code === 'KEY_CHANGED') {
    return `Not sent. The key of ${names} changed. Compare before you acknowledge it; your text is kept.`;
  }
  if (code === 'MEMBER_WITHOUT_POST_QUANTUM_KEY') {
    return `Not sent. ${names} ${verb} no post-quantum key, which this channel needs; your text is kept.`;
  }
  return new Map<string, string>(Object.entries(ENCRYPTION)).get(code) ?? `Refused (${code}).`;
}

function twilioCode(error: unknown): number | undefined {
  const code = member(member(error, 'body'), 'code');
  return typeof code === 'number' ? code : undefined;
}
