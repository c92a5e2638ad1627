import type { Media, Member, Message } from 'twilio-chat';
import { facade } from '../core/facade.ts';
import type { MessageState } from '../core/message-state.ts';
import type { MessageFacade } from '../core/port.ts';
import { ReplayEmitter } from '../core/replay-emitter.ts';
import type { Wrappers } from './registry.ts';
import { MESSAGE_RULES } from './rules.ts';

/** The facade of a message. */
export function messageFacade(
  raw: Message,
  state: MessageState<Media>,
  wrap: Wrappers,
): MessageFacade<Message> {
  const emitter = new ReplayEmitter(() => self);
  const self: Message = facade(
    raw,
    MESSAGE_RULES,
    {
      get author() {
        return state.signer ?? raw.author;
      },
      get body() {
        if (state.isClear) return raw.body;
        return state.type === 'media' ? null : state.body;
      },
      get attributes() {
        return state.isClear ? raw.attributes : state.attributes;
      },
      get encryption() {
        return state.received.encryption;
      },
      get channel() {
        return wrap.channel(raw.channel);
      },
      get type() {
        return state.isClear ? raw.type : state.type;
      },
      get media() {
        if (state.isClear) return raw.media;
        const [file] = state.files;
        return file ? wrap.media(file) : null;
      },
      // Twilio names a member by sid, and may name another one.
      getMember: async (): Promise<Member> =>
        wrap.member(
          await (state.signer === null
            ? raw.getMember()
            : raw.channel.getMemberByIdentity(state.signer)),
        ),
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
    emitter,
  );
  return {
    facade: self,
    emitUpdated(updateReasons) {
      emitter.emit('updated', { message: self, updateReasons });
    },
  };
}
