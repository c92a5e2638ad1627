import type { Media, Member, Message } from 'twilio-chat';
import { facade, type OwnMembers } from '../core/facade.ts';
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
  const own = new OwnMessage(raw, state, wrap, () => self);
  const self: Message = facade(raw, MESSAGE_RULES, own, wrap.clearMetadata, emitter);
  return {
    facade: self,
    emitUpdated(updateReasons) {
      emitter.emit('updated', { message: self, updateReasons });
    },
  };
}

// A class, as there is one for each message.
class OwnMessage implements OwnMembers<Message, typeof MESSAGE_RULES> {
  readonly #raw: Message;
  readonly #state: MessageState<Media>;
  readonly #wrap: Wrappers;
  readonly #self: () => Message;

  constructor(raw: Message, state: MessageState<Media>, wrap: Wrappers, self: () => Message) {
    this.#raw = raw;
    this.#state = state;
    this.#wrap = wrap;
    this.#self = self;
  }

  get author() {
    return this.#state.signer ?? this.#raw.author;
  }

  get body() {
    if (this.#state.isClear) return this.#raw.body;
    return this.#state.type === 'media' ? null : this.#state.body;
  }

  get attributes() {
    return this.#state.isClear ? this.#raw.attributes : this.#state.attributes;
  }

  get encryption() {
    return this.#state.received.encryption;
  }

  get channel() {
    return this.#wrap.channel(this.#raw.channel);
  }

  get type() {
    return this.#state.isClear ? this.#raw.type : this.#state.type;
  }

  get media() {
    if (this.#state.isClear) return this.#raw.media;
    const [file] = this.#state.files;
    return file ? this.#wrap.media(file) : null;
  }

  // Twilio names a member by sid, and may name another one.
  async getMember(): Promise<Member> {
    const { signer } = this.#state;
    return this.#wrap.member(
      await (signer === null
        ? this.#raw.getMember()
        : this.#raw.channel.getMemberByIdentity(signer)),
    );
  }

  async updateBody(body: string) {
    if (await this.#mayClear()) await this.#raw.updateBody(body);
    else await this.#state.edit({ body });
    return this.#self();
  }

  async updateAttributes(attributes: unknown) {
    if (await this.#mayClear()) await this.#raw.updateAttributes(attributes);
    else await this.#state.edit({ attributes });
    return this.#self();
  }

  async remove() {
    await this.#raw.remove();
    return this.#self();
  }

  #mayClear(): Promise<boolean> {
    return this.#wrap.rule.mayClear(this.#raw.channel);
  }
}
