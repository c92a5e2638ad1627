/** A channel in memory: what devices send there, and how they read it. */
import { parseIdentity, type Identity } from 'twilio-chat-encryption/protocol';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import type { Device } from '../../src/client/device.ts';
import type { ReceivedMessage } from '../../src/client/judged.ts';
import type { Outlet } from '../../src/client/outlet.ts';
import { CHANNEL } from '../protocol/people.ts';

interface Post {
  readonly author: string;
  readonly body: string;
  /** When it came: milliseconds since 1970-01-01 UTC. */
  readonly at: number;
}

/** A channel of these people. All were members before its first message. */
export class Channel {
  readonly posts: Post[] = [];
  readonly #members: readonly Identity[];

  constructor(...members: readonly string[]) {
    this.#members = members.map(parseIdentity);
  }

  /** Sends as this device; gives the index. */
  send(device: Device, body: string): Promise<number> {
    return device.send(this.#outlet(device.identity), { body });
  }

  /** Puts an envelope there as Twilio would; gives the index. */
  put(author: string, body: string): number {
    return this.posts.push({ author, body, at: Date.now() }) - 1;
  }

  /**
   * A message as this device shows it: its text and how far its sender is trusted, or why there is none.
   * @param at when Twilio says that it came, if not when it did
   */
  async read(device: Device, index: number, at?: number): Promise<string> {
    const [received] = await device.accept([await device.judge(this.#delivered(index, at))]);
    if (!received) throw new Error('There is no such message.');
    const { encryption, content } = received;
    if (encryption.status !== 'verified') return encryption.code;
    return `${content.body ?? ''} (${encryption.trust})`;
  }

  /** A page as this device is shown it: what became of each message. */
  async readAll(device: Device, indexes: readonly number[]): Promise<readonly ReceivedMessage[]> {
    return device.accept(
      await Promise.all(indexes.map((index) => device.judge(this.#delivered(index)))),
    );
  }

  /** Sends, and reads it as another device does. */
  async tell(from: Device, to: Device, body: string): Promise<string> {
    return this.read(to, await this.send(from, body));
  }

  #outlet(author: string): Outlet {
    return {
      channelSid: CHANNEL,
      limit: 32_768,
      members: () => Promise.resolve(this.#members),
      post: (body) => Promise.resolve(this.put(author, body)),
      find: () => Promise.resolve(null),
    };
  }

  #delivered(index: number, at?: number): DeliveredMessage {
    const { author = '', body = '', at: postedAt = 0 } = this.posts[index] ?? {};
    const createdAt = new Date(at ?? postedAt);
    return {
      ...{ channelSid: CHANNEL, messageSid: `IM${index}`, index, author, body },
      // Whatever key message there is has come.
      ...{ file: null, fileSizes: [], isLive: false, attempts: 9 },
      ...{ createdAt, updatedAt: createdAt },
      joinedAt: () => Promise.resolve(new Date(0)),
      members: () => Promise.resolve(this.#members),
      watchJoins: () => () => undefined,
      around: (center, radius) =>
        Promise.resolve(
          [...this.posts.keys()]
            .filter((one) => Math.abs(one - center) <= radius)
            .map((one) => this.#delivered(one)),
        ),
    };
  }
}
