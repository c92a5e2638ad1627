import type { Member, Message } from 'twilio-chat';
import { facade } from '../core/facade.ts';
import type { MessageState } from '../core/message-state.ts';
import type { MessageFacade, PortMessage } from '../core/port.ts';
import { replayEmitter } from '../core/replay-emitter.ts';
import type { Wrappers } from './registry.ts';
import { MESSAGE_RULES } from './rules.ts';

/** The facade of a message. */
export function messageFacade(
  raw: Message,
  state: MessageState,
  wrap: Wrappers,
): MessageFacade<Message> {
  const emitter = replayEmitter(() => self);
  const self: Message = facade(
    raw,
    MESSAGE_RULES,
    {
      ...emitter.methods,
      get author() {
        return state.author(raw.author);
      },
      get body() {
        return state.isClear ? raw.body : state.body;
      },
      get attributes() {
        return state.isClear ? raw.attributes : (state.attributes ?? {});
      },
      get encryption() {
        return state.received.encryption;
      },
      get channel() {
        return wrap.channel(raw.channel);
      },
      get type() {
        return state.isClear ? raw.type : 'text';
      },
      get media() {
        return state.isClear ? raw.media : null;
      },
      getMember: async (): Promise<Member> => wrap.member(await raw.getMember()),
      async updateBody(body) {
        if (await wrap.rule.mayClear(raw.channel)) await raw.updateBody(body);
        else await state.edit({ body });
        return self;
      },
      async updateAttributes(attributes: unknown) {
        if (await wrap.rule.mayClear(raw.channel)) await raw.updateAttributes(attributes);
        else await state.edit({ attributes });
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
    emitUpdated(updateReasons) {
      emitter.emit('updated', { message: self, updateReasons });
    },
  };
}

/** What Twilio says of a message. */
export function readMessage(message: Message): PortMessage {
  const { sid, index, author, attributes, dateCreated, dateUpdated } = message;
  return {
    sid,
    index,
    author,
    // Of a message with a file the SDK shows no text.
    text: textOf(message.body),
    attributes,
    files: filesOf(message),
    dateCreated,
    dateUpdated,
  };
}

function filesOf({ type, media }: Message): PortMessage['files'] {
  return type === 'media' && isThere(media) ? [media] : [];
}

// The SDK has none when Twilio says that there is one, but not which; its types do not say so.
function isThere(media: Message['media'] | null): media is Message['media'] {
  return media !== null;
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : '';
}
