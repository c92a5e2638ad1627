import type { Device } from '../../client/device.ts';
import type { ReceivedMessage } from '../../client/judged.ts';
import type { OutgoingContent } from '../../client/outlet.ts';
import { EncryptionError } from '../../errors.ts';
import { clearPart } from './clear-attributes.ts';
import { jsonCopy } from './json-copy.ts';
import type { ChannelOutlet } from './outlet.ts';
import type { ClearAttributes } from './sdk.ts';

// 4 bytes in the signed target.
const MAX_REVISION = 2 ** 32 - 1;
// Two devices that edit the same message all the time do not do so for ever because of this.
const MAX_REPEATS = 3;

/** What an editor works with. */
export interface EditorContext {
  readonly device: Device;
  readonly outlet: ChannelOutlet;
  /** Throws when the channel's client is signed in as somebody else. */
  readonly checkSender: () => void;
  /** The longest envelope that the message's place holds, in characters. */
  readonly limit: (clear: ClearAttributes) => number;
  /** Posts an envelope in the message's place. */
  readonly replace: (text: string, clear: ClearAttributes) => Promise<void>;
  /** The names of the application's attributes that Twilio sees. */
  readonly clearAttributes: readonly string[];
}

/** Edits one message. */
export interface Editor {
  /** Encrypts the whole message again with these parts replaced, and posts it in its place. */
  readonly edit: (changes: OutgoingContent) => Promise<void>;
  /**
   * Looks whether another device of this person posted an edit over one of this device's, not knowing
   * of it: then what that one did not change is edited once more.
   */
  readonly opened: () => void;
}

/** An edit that was posted. */
interface Posted {
  readonly revision: number;
  /** What the message said before, changed, and then. */
  readonly base: OutgoingContent;
  readonly changes: OutgoingContent;
  readonly content: OutgoingContent;
  readonly repeats: number;
}

/** The editor of a message, of which `current` gives what was found when it was last opened. */
export function editor(current: () => ReceivedMessage, context: EditorContext): Editor {
  const { device, outlet, checkSender, limit, replace, clearAttributes } = context;
  let used = 0;
  let posted: Posted | null = null;
  // What the message says, apart from the attributes that the application has: it may change those in
  // place, and that is no edit.
  let said: OutgoingContent = {};

  async function post(changes: OutgoingContent, repeats: number): Promise<void> {
    const { encryption, editable } = current();
    if (encryption.status !== 'verified' || !editable) throw notEditable('cannot be read');
    if (encryption.sender.identity !== device.identity) throw notEditable("is somebody else's");
    checkSender();
    // A number is used once it was given, whether its edit arrived or not; and Twilio may have put an
    // older version back.
    used = Math.max(used, editable.latestRevision) + 1;
    if (used > MAX_REVISION) throw notEditable('was edited too often');
    // What an edit of a moment ago replaced is kept, also when its event is still to come.
    const base = posted && posted.revision > encryption.revision ? posted.content : said;
    const edited = { body: '', ...base, ...changes };
    const revision = used;
    const clear = clearPart(edited.attributes, clearAttributes);
    const target = { ...editable.name, revision };
    await replace(await device.edit(outlet.outlet, target, edited, limit(clear)), clear);
    posted = { revision, base, changes, content: edited, repeats };
  }

  return {
    async edit(changes) {
      const asked = apart(changes);
      checkChanges(asked);
      await outlet.inOrder(() => post(asked, 0));
    },
    opened() {
      const { encryption, content } = current();
      if (encryption.status !== 'verified') return;
      // Nobody else's messages are edited.
      if (encryption.sender.identity !== device.identity) return;
      said = apart(content);
      if (!posted || posted.repeats >= MAX_REPEATS || device.closed.aborted) return;
      if (encryption.revision !== posted.revision) return;
      if (encryption.sender.cardId === device.card().id) return;
      const lost = unchanged(posted, said);
      const repeats = posted.repeats + 1;
      posted = null;
      if (Object.keys(lost).length === 0) return;
      // Nobody waits for it: `edit` was done. If it fails, the other device's words stand.
      outlet.inOrder(() => post(lost, repeats)).catch(() => undefined);
    },
  };
}

/** The content without the objects that the application has. */
function apart(content: OutgoingContent): OutgoingContent {
  if (content.attributes === undefined) return content;
  return { ...content, attributes: jsonCopy(content.attributes) };
}

/** The changes of parts that the other edit left as they were: in the same part, the later one wins. */
function unchanged({ base, changes }: Posted, theirs: OutgoingContent): OutgoingContent {
  const same = (name: keyof OutgoingContent): boolean =>
    JSON.stringify(base[name]) === JSON.stringify(theirs[name]);
  return {
    ...(changes.body !== undefined && same('body') && { body: changes.body }),
    ...(changes.attributes !== undefined &&
      same('attributes') && { attributes: changes.attributes }),
  };
}

// What is undefined would not replace a part but take it away.
function checkChanges(changes: OutgoingContent): void {
  for (const [name, value] of Object.entries(changes)) {
    const isRight = name === 'body' ? typeof value === 'string' : value !== undefined;
    if (!isRight) throw new EncryptionError('INVALID_ARGUMENT', `This is no ${name} of a message.`);
  }
}

function notEditable(why: string): EncryptionError {
  return new EncryptionError('INVALID_ARGUMENT', `This message cannot be edited: it ${why}.`);
}
