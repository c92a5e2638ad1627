/** What comparing safety numbers comes to, in plain words. */
import { isEncryptionError, type SafetyNumberComparison } from 'twilio-chat-encryption';
import { NoCode } from '../session/code-reader.ts';
import { explain } from './failures.ts';
import type { Reason } from './reasons.ts';

/** That everything is compared. */
export const MARKED: Reason = {
  title: 'Safety number compared',
  text: 'Their devices of now are marked. A device that they add later is not, until you compare again.',
};

/** What a scanned code of somebody says. */
export function resultOf(result: SafetyNumberComparison, identity: string): Reason {
  switch (result) {
    case 'match':
      return {
        title: 'They match',
        text: `Nobody stands between you and ${identity}. Mark their devices, and messages from them say so.`,
      };
    case 'differentDevices':
      return {
        title: 'The devices differ',
        text: `One of you has a device that the other does not know of. If it is new, both open this page again. If it is nobody’s, somebody slipped it in: do not write to ${identity} here, and tell who runs the server.`,
      };
    case 'mismatch':
      return {
        title: 'They do not match',
        text: `Somebody may stand between you and ${identity}. Do not write anything secret here, do not acknowledge new keys, and tell who runs the server.`,
      };
    case 'otherPeople':
      return {
        title: 'This is another code',
        text: `It is your own, or one for somebody else. Scan the one that ${identity} has open for you.`,
      };
  }
}

/** Why comparing with somebody did not work. */
export function explainComparison(error: unknown, identity: string): string {
  if (error instanceof NoCode) return 'There is no code to be seen in this picture.';
  if (isEncryptionError(error, 'KEY_CHANGED')) {
    return 'There is a device in your name that you did not confirm. Say under “Your devices” whether it is yours, then compare.';
  }
  if (isEncryptionError(error, 'MEMBER_WITHOUT_CARD')) {
    return `${identity} has no key yet and has to sign in here once.`;
  }
  if (isEncryptionError(error, 'SAFETY_NUMBER_CHANGED')) {
    return 'One of you has other devices by now, and nothing was marked. This is the new number: compare it again.';
  }
  if (isEncryptionError(error, 'INVALID_ARGUMENT')) {
    return 'This is not the code of a safety number.';
  }
  if (isEncryptionError(error, 'UNSUPPORTED_VERSION')) {
    return 'This is the code of a newer version. Both reload the page, then scan again.';
  }
  return explain(error);
}
