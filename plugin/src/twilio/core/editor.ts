import type { Device } from '../../client/device.ts';
import type { ReceivedMessage } from '../../client/judged.ts';
import type { OutgoingContent, Replacement } from '../../client/outlet.ts';
import type { OwnEdit } from '../../client/own-edits.ts';
import { EncryptionError } from '../../errors.ts';
import { clearPart } from './clear-attributes.ts';
import { jsonCopy } from './json-copy.ts';
import type { ChannelOutlet } from './outlet.ts';
import type { ClearAttributes } from './sdk.ts';

// 4 bytes in the signed target.
const MAX_REVISION = 2 ** 32 - 1;
// Two devices that edit the same message all the time do not do so for ever because of this.
const MAX_REPEATS = 3;

// An event of one's own edit that is still to come takes no longer, unless it was passed over because
// another one followed while this device was offline.
const PATIENCE_MILLISECONDS = 1000;

/** What an editor works with. */
export interface EditorContext {
  readonly device: Pick<Device, 'identity' | 'card' | 'closed' | 'edit'>;
  readonly outlet: ChannelOutlet;
  /** Throws when the channel's client is signed in as somebody else. */
  readonly checkSender: () => void;
  /** What an envelope in the message's place says; null when it is none of this person's. */
  readonly open: (text: string) => Promise<OutgoingContent | null>;
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
   * To be called whenever this person's message was opened. Looks whether another device of theirs posted
   * an edit over one of this device's, not knowing of it: then what that one did not change is edited once
   * more, on top of it.
   */
  readonly opened: () => void;
}

/** An edit of this tab. */
interface Posted {
  readonly revision: number;
  readonly text: string;
  /** What the message said before, and what was changed. */
  readonly base: OutgoingContent;
  readonly changes: OutgoingContent;
  readonly repeats: number;
  /** Whether it was seen to arrive. */
  isSeen: boolean;
}

/** The editor of a message, of which `current` gives what was found when it was last opened. */
export function editor(current: () => ReceivedMessage, context: EditorContext): Editor {
  const { device, outlet, checkSender, open, limit, replace, clearAttributes } = context;
  let posted: Posted | null = null;
  // What the message says, apart from the attributes that the application has: it may change those in
  // place, and that is no edit.
  let said: OutgoingContent = {};

  function own() {
    const { encryption, editable } = current();
    if (encryption.status !== 'verified' || !editable) throw notEditable('cannot be read');
    if (encryption.sender.identity !== device.identity) throw notEditable("is somebody else's");
    return { ...editable, revision: encryption.revision };
  }

  /** What is edited: another tab may have put something there of which this one has not heard yet. */
  async function baseOf(latest: OwnEdit | null): Promise<OutgoingContent> {
    const { revision, latestRevision } = own();
    const text = latest && latest.revision > revision ? latest.text : null;
    // Of what Twilio put back, an edit of one part would sign the other one as the newest.
    if (Math.max(revision, text === null ? 0 : (latest?.revision ?? 0)) < latestRevision) {
      throw notEditable('was put back to an older version: send it anew');
    }
    if (text === null) return said;
    const content = await open(text);
    if (content) return content;
    throw notEditable('has an edit that cannot be read');
  }

  async function prepare(
    changes: OutgoingContent,
    repeats: number,
    latest: OwnEdit | null,
  ): Promise<Replacement> {
    const base = await baseOf(latest);
    const content = { body: '', ...base, ...changes };
    // A number is used once it was given, whether its edit arrived or not; and Twilio may have put an
    // older version back.
    const revision = Math.max(own().latestRevision, latest?.revision ?? 0) + 1;
    if (revision > MAX_REVISION) throw notEditable('was edited too often');
    const clear = clearPart(content.attributes, clearAttributes);
    return {
      revision,
      content,
      limit: limit(clear),
      async replace(text) {
        await replace(text, clear);
        posted = { revision, text, base, changes, repeats, isSeen: isHere(text) };
        look();
      },
    };
  }

  function post(changes: OutgoingContent, repeats: number): Promise<void> {
    return outlet.inOrder(async () => {
      const { name } = own();
      checkSender();
      await device.edit(outlet.outlet, {
        name,
        prepare: (latest) => prepare(changes, repeats, latest),
      });
    });
  }

  const isHere = (text: string): boolean => current().editable?.text === text;

  /** Whether something stands in the place of an edit that did not build on it. */
  function isOvertaken({ revision, text }: Posted): boolean {
    const { encryption } = current();
    return encryption.status === 'verified' && encryption.revision === revision && !isHere(text);
  }

  function look(): void {
    if (posted === null || device.closed.aborted) return;
    if (isHere(posted.text)) posted.isSeen = true;
    if (!isOvertaken(posted)) return;
    if (posted.isSeen) again(posted);
    else later(posted);
  }

  // It may have been there before this device's own edit, of which the event is still to come.
  function later(edit: Posted): void {
    const timer = setTimeout(() => {
      device.closed.removeEventListener('abort', stop);
      if (posted === edit && isOvertaken(edit)) again(edit);
    }, PATIENCE_MILLISECONDS);
    const stop = (): void => {
      clearTimeout(timer);
    };
    device.closed.addEventListener('abort', stop, { once: true });
  }

  // Also when nothing is left to repeat: both edits have one number, and a higher one ends the fork.
  function again(edit: Posted): void {
    posted = null;
    if (edit.repeats >= MAX_REPEATS) return;
    // Nobody waits for it: `edit` was done. If it fails, the other device's words stand.
    post(unchanged(edit, said), edit.repeats + 1).catch(() => undefined);
  }

  return {
    async edit(changes) {
      const asked = apart(changes);
      checkChanges(asked);
      await post(asked, 0);
    },
    opened() {
      said = apart(current().content);
      look();
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
