import type { Device } from '../../client/device.ts';
import type { ReceivedMessage } from '../../client/judged.ts';
import type { OutgoingContent } from '../../client/sender.ts';
import { EncryptionError } from '../../errors.ts';
import type { ChannelOutlet } from './outlet.ts';

// 4 bytes in the signed target.
const MAX_REVISION = 2 ** 32 - 1;

/** What an editor works with. */
export interface EditorContext {
  readonly device: Device;
  readonly outlet: ChannelOutlet;
  /** Throws when the channel's client is signed in as somebody else. */
  readonly checkSender: () => void;
  /** Posts an envelope in the message's place. */
  readonly replace: (text: string) => Promise<void>;
}

/**
 * Replaces parts of a message: the whole of it is encrypted again, and posted in its place. The parts
 * that an edit of a moment ago replaced are kept, also when its event is still to come.
 */
export function editor(
  current: () => ReceivedMessage,
  { device, outlet: { outlet, inOrder }, checkSender, replace }: EditorContext,
): (changes: OutgoingContent) => Promise<void> {
  let used = 0;
  let posted: { readonly revision: number; readonly content: OutgoingContent } | null = null;
  return (changes) =>
    inOrder(async () => {
      const { encryption, content, editable } = current();
      if (encryption.status !== 'verified' || !editable) throw notEditable('cannot be read');
      if (encryption.sender.identity !== device.identity) throw notEditable("is somebody else's");
      checkSender();
      // A number is used once it was given, whether its edit arrived or not; and Twilio may have put an
      // older version back.
      used = Math.max(used, editable.latestRevision) + 1;
      if (used > MAX_REVISION) throw notEditable('was edited too often');
      const newest = posted && posted.revision > encryption.revision ? posted.content : content;
      const edited = { body: '', ...newest, ...changes };
      const revision = used;
      await replace(await device.edit(outlet, { ...editable.name, revision }, edited));
      posted = { revision, content: edited };
    });
}

function notEditable(why: string): EncryptionError {
  return new EncryptionError('INVALID_ARGUMENT', `This message cannot be edited: it ${why}.`);
}
