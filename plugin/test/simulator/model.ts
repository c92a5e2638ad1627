/** What really happened: who sent what, where, to whom. The checker compares with it what readers are shown. */
import { parseEnvelope } from 'twilio-chat-encryption/protocol';

/** One version of a message: the original, or an edit. */
export interface Version {
  /** The people who were members when it was sent. */
  readonly audience: ReadonlySet<string>;
  /** What Twilio got; null while it is on its way. */
  text: string | null;
  /** As readers are told; null until somebody was. */
  revision: number | null;
  /** Body and attributes, as the first reader was shown them. */
  looks: string | null;
}

/** A message that somebody sent. */
export interface Sent {
  readonly author: string;
  readonly cardId: string;
  readonly channelSid: string;
  readonly versions: Version[];
  /** Where Twilio put it; null while it is on its way. */
  home: Home | null;
  /** Its sender's name for it, as the first reader was shown it. */
  messageId: string | null;
}

export interface Home {
  readonly sid: string;
  readonly index: number;
  readonly sequence: number;
}

/** What a client posted, by its bytes. */
export type Genuine =
  | { readonly kind: 'message'; readonly sent: Sent; readonly version: number }
  | {
      readonly kind: 'key';
      readonly author: string;
      readonly cardId: string;
      readonly channelSid: string;
      readonly audience: ReadonlySet<string>;
      readonly sequence: number;
      readonly index: number;
    };

/** Which version of which message these words or attributes came with. */
export interface Origin {
  readonly sent: Sent;
  readonly version: number;
}

export interface Model {
  readonly sent: readonly Sent[];
  readonly genuine: ReadonlyMap<string, Genuine>;
  /** Words and attributes that nobody said before. */
  fresh(): { readonly body: string; readonly attributes: object };
  /** Somebody is about to send these. */
  saying(sent: Omit<Sent, 'versions' | 'home' | 'messageId'>, what: Words, to: Audience): Sent;
  /** Somebody is about to replace a part of a message. */
  editing(sent: Sent, what: Partial<Words>, to: Audience): Version;
  posted(text: string, genuine: Genuine): void;
  /** The next number of this card in this channel. */
  count(cardId: string, channelSid: string): number;
  /** Where these words come from; null for words that nobody sent together. */
  originOf(body: string, attributes: unknown): Origin | null;
  /** Twilio put what is true elsewhere into this place: what a reader makes of it depends on what he saw first. */
  touch(channelSid: string, index: number): void;
  /** How often. */
  touched(channelSid: string, index: number): number;
  /** Twilio changed what stands in this place, or how it is delivered. */
  damage(channelSid: string, index: number): void;
  /** Whether this envelope needs a key message that was damaged. */
  needsDamagedKey(channelSid: string, text: string): boolean;
}

export interface Words {
  readonly body: string;
  readonly attributes: object;
}

type Audience = ReadonlySet<string>;

/** What all secret words begin with: none of them may be seen by Twilio. */
export const SECRET = 'sesame';
/** What Twilio's own words contain: none of them may be shown. */
export const FORGED = 'forged';

/** Nobody has sent anything. */
export function createModel(): Model {
  const all: Sent[] = [];
  const genuine = new Map<string, Genuine>();
  const bodies = new Map<string, Origin>();
  const attributes = new Map<string, Origin>();
  const counts = new Map<string, number>();
  const touches = new Map<string, number>();
  const damages = new Set<string>();
  let words = 0;

  function addVersion(sent: Sent, what: Partial<Words>, audience: Audience): Version {
    const version: Version = { audience, text: null, revision: null, looks: null };
    const origin = { sent, version: sent.versions.length };
    if (what.body !== undefined) bodies.set(what.body, origin);
    if (what.attributes !== undefined) attributes.set(JSON.stringify(what.attributes), origin);
    sent.versions.push(version);
    return version;
  }

  return {
    sent: all,
    genuine,
    fresh() {
      words += 1;
      // Of different lengths, so that padding has something to do.
      const body = `${SECRET} ${words} ${'and more '.repeat((words * 7) % 60)}`;
      return { body, attributes: { [SECRET]: words, list: [words, null, 'ä'] } };
    },
    saying(head, what, to) {
      const sent: Sent = { ...head, versions: [], home: null, messageId: null };
      addVersion(sent, what, to);
      all.push(sent);
      return sent;
    },
    editing: addVersion,
    posted(text, one) {
      genuine.set(text, one);
    },
    count(cardId, channelSid) {
      const name = `${cardId}/${channelSid}`;
      const next = (counts.get(name) ?? 0) + 1;
      counts.set(name, next);
      return next;
    },
    originOf(body, attached) {
      const [one, other] = [bodies.get(body), attributes.get(JSON.stringify(attached))];
      if (!one || !other || one.sent !== other.sent) return null;
      return one.version > other.version ? one : other;
    },
    touch(channelSid, index) {
      const name = `${channelSid}/${index}`;
      touches.set(name, (touches.get(name) ?? 0) + 1);
    },
    touched: (channelSid, index) => touches.get(`${channelSid}/${index}`) ?? 0,
    damage: (channelSid, index) => void damages.add(`${channelSid}/${index}`),
    needsDamagedKey(channelSid, text) {
      const envelope = parseEnvelope(text);
      if (envelope.type !== 'follower') return false;
      return damages.has(`${channelSid}/${envelope.session.keyMessageIndex}`);
    },
  };
}
