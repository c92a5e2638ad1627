import type { Member, Message } from 'twilio-chat';
import type { MessageEncryption } from '../client/message-encryption.ts';
import type { ReceivedMessage } from '../client/judged.ts';
import type { OutgoingContent } from '../client/sender.ts';
import { EncryptionError } from '../errors.ts';
import { facade } from './facade.ts';
import type { ChannelOutlet } from './outlet.ts';
import { replayEmitter } from './replay-emitter.ts';
import { MESSAGE_RULES } from './rules.ts';
import type { Wrappers } from './registry.ts';

// 4 bytes in the signed target.
const MAX_REVISION = 2 ** 32 - 1;

/** A message as the application sees it. */
export interface Looks {
  readonly body: string;
  /** As JSON. */
  readonly attributes: string;
}

/** A message's facade and what only its channel may do with it. */
export interface OpenedMessage {
  readonly facade: Message;
  /** What was found when it was last opened. */
  readonly received: ReceivedMessage;
  /** Shows what was found when it was opened again. */
  show(received: ReceivedMessage): void;
  /** What it looks like, to see whether that changed. */
  looks(): Looks;
  /** Tells the message's own listeners. */
  emitUpdated(updateReasons: readonly string[]): void;
}

/** The facade of a message that was opened. */
export function openedMessage(
  raw: Message,
  first: ReceivedMessage,
  wrap: Wrappers,
  outlet: ChannelOutlet,
): OpenedMessage {
  let received = first;
  const edit = editor(raw, wrap, outlet, () => received);
  const emitter = replayEmitter(() => self);
  const self: Message = facade(
    raw,
    MESSAGE_RULES,
    {
      ...emitter.methods,
      // Twilio may name another author at any time; beside verified words stands who signed them.
      get author() {
        const { encryption } = received;
        return encryption.status === 'verified' ? encryption.sender.identity : raw.author;
      },
      get body() {
        const { encryption, content } = received;
        if (encryption.status === 'clear') return raw.body;
        return encryption.status === 'verified' ? (content.body ?? '') : placeholder(encryption);
      },
      get attributes() {
        if (received.encryption.status === 'clear') return raw.attributes;
        return received.content.attributes ?? {};
      },
      get encryption() {
        return received.encryption;
      },
      get channel() {
        return wrap.channel(raw.channel);
      },
      get type() {
        return received.encryption.status === 'clear' ? raw.type : 'text';
      },
      get media() {
        return received.encryption.status === 'clear' ? raw.media : null;
      },
      getMember: async (): Promise<Member> => wrap.member(await raw.getMember()),
      async updateBody(body) {
        if (await wrap.rule.mayClear(raw.channel)) await raw.updateBody(body);
        else await edit({ body });
        return self;
      },
      async updateAttributes(attributes: unknown) {
        if (await wrap.rule.mayClear(raw.channel)) await raw.updateAttributes(attributes);
        else await edit({ attributes });
        return self;
      },
      async remove() {
        await raw.remove();
        return self;
      },
    },
    wrap.clearMetadata,
  );
  return {
    facade: self,
    get received() {
      return received;
    },
    show(again) {
      received = again;
    },
    looks: () => ({
      body: `${self.encryption.status} ${self.body}`,
      attributes: JSON.stringify(self.attributes),
    }),
    emitUpdated(updateReasons) {
      emitter.emit('updated', { message: self, updateReasons });
    },
  };
}

/**
 * Replaces parts of a message: the whole of it is encrypted again, and posted in its place. The parts
 * that an edit of a moment ago replaced are kept, also when its event is still to come.
 */
function editor(
  raw: Message,
  wrap: Wrappers,
  { outlet, inOrder }: ChannelOutlet,
  current: () => ReceivedMessage,
): (changes: OutgoingContent) => Promise<void> {
  let used = 0;
  let posted: { readonly revision: number; readonly content: OutgoingContent } | null = null;
  return (changes) =>
    inOrder(async () => {
      const { encryption, content, editable } = current();
      if (encryption.status !== 'verified' || !editable) throw notEditable('cannot be read');
      if (encryption.sender.identity !== wrap.device.identity)
        throw notEditable("is somebody else's");
      wrap.checkSender(raw.channel);
      // A number is used once it was given, whether its edit arrived or not; and Twilio may have put an
      // older version back.
      used = Math.max(used, editable.latestRevision) + 1;
      if (used > MAX_REVISION) throw notEditable('was edited too often');
      const newest = posted && posted.revision > encryption.revision ? posted.content : content;
      const edited = { body: '', ...newest, ...changes };
      const revision = used;
      await raw.updateBody(await wrap.device.edit(outlet, { ...editable.name, revision }, edited));
      posted = { revision, content: edited };
    });
}

function notEditable(why: string): EncryptionError {
  return new EncryptionError('INVALID_ARGUMENT', `This message cannot be edited: it ${why}.`);
}

// Stands where the body would: fixed words, so that an application which does not look at
// `encryption` shows no text that somebody else chose.
function placeholder(encryption: Exclude<MessageEncryption, { status: 'verified' }>): string {
  return `[${encryption.status}: ${encryption.code}]`;
}
