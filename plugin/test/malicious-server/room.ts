/** A channel as Twilio keeps it, in memory. */
import { parseChannelSid, parseIdentity, type Identity } from 'twilio-chat-encryption/protocol';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import type { Device } from '../../src/client/device.ts';
import type { MessageEncryption } from '../../src/client/message-encryption.ts';
import type { Outlet } from '../../src/client/outlet.ts';
import { openRaw } from '../protocol/malicious-member.ts';

interface Post {
  readonly author: string;
  readonly body: string;
  readonly at: number;
}

let rooms = 0;

export class Room {
  readonly sid = parseChannelSid(`CH${String((rooms += 1)).padStart(32, '0')}`);
  readonly posts: Post[] = [];
  #members: readonly Identity[];

  constructor(...members: readonly string[]) {
    this.#members = members.map(parseIdentity);
  }

  /** From now on they are members, too. */
  join(identity: string): void {
    this.#members = [...this.#members, parseIdentity(identity)];
  }

  /** Posts what this device encrypts; gives its index. */
  send(device: Device, body: string): Promise<number> {
    return device.send(this.outlet(device.identity), { body });
  }

  outlet(author: string): Outlet {
    return {
      channelSid: this.sid,
      limit: 32_768,
      members: () => Promise.resolve(this.#members),
      post: (body) => Promise.resolve(this.put(author, body)),
      find: () => Promise.resolve(null),
    };
  }

  put(author: string, body: string): number {
    return this.posts.push({ author, body, at: Date.now() }) - 1;
  }

  /** A message as this device shows it: its words and whom it is from, or why there are none. */
  async read(device: Device, index: number): Promise<string> {
    const [received] = await device.accept([await device.judge(this.#delivered(index))]);
    if (!received) throw new Error('There is no such message.');
    return said(received.encryption, received.content.body);
  }

  /** Sends, and reads it as another device does. */
  async tell(from: Device, to: Device, body: string): Promise<string> {
    return this.read(to, await this.send(from, body));
  }

  /** Which of the messages, from this one on, the holder of this private key can read. */
  readableWith(secret: Uint8Array, from = 0): number[] {
    const indexes = [...this.posts.keys()].slice(from);
    return indexes.filter((index) => canOpen(this.posts[index]?.body, secret));
  }

  #delivered(index: number): DeliveredMessage {
    const { author = '', body = '', at = 0 } = this.posts[index] ?? {};
    return {
      ...{ channelSid: this.sid, messageSid: `${this.sid}/${index}`, index, author, body },
      ...{ file: null, fileSizes: [], isLive: false, attempts: 0 },
      createdAt: new Date(at),
      updatedAt: new Date(at),
      joinedAt: () => Promise.resolve(null),
      members: () => Promise.resolve(this.#members),
      watchJoins: () => () => undefined,
      around: () => Promise.resolve([]),
    };
  }
}

function said(encryption: MessageEncryption, body = ''): string {
  if (encryption.status !== 'verified') return encryption.code;
  const { trust, anomalies } = encryption;
  return [body, `(${trust})`, ...anomalies.map(({ code }) => code)].join(' ');
}

function canOpen(text: string | undefined, secret: Uint8Array): boolean {
  try {
    return text !== undefined && openRaw(text, secret).length > 0;
  } catch {
    return false;
  }
}
