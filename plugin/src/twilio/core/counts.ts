/**
 * Counts without what the application does not see: key messages take indexes and are counted by
 * Twilio like any other. What is hidden is told by how it looks, or by what was found when it was
 * opened; a count is no place to open messages.
 */
import { keyFile } from './key-file.ts';
import type { ChannelPort } from './port.ts';
import type { PortFile, Readable } from './sdk.ts';
import { looksLikeKeyMessage } from '../../protocol/header.ts';

/** The place of a channel's last message. */
export interface LastMessage {
  readonly index?: number;
  readonly dateCreated?: Date;
}

/** What is known of the hidden messages of a channel in this run. */
export interface HiddenMessages {
  readonly indexes: ReadonlySet<number>;
  /** The last message that was shown. */
  readonly lastShown: Required<LastMessage> | null;
}

/** The corrected counts of one channel. */
export interface Counts {
  /** All messages: without those of which is known that they are hidden, so at most too many. */
  readonly total: (count: number) => number;
  /** The unread ones: exact for up to 1000, key messages included; of more, at most too many. */
  readonly unread: <Count extends number | null>(
    count: Count,
    lastRead: number | null,
  ) => Promise<Count | number>;
  readonly last: (last: LastMessage | undefined) => LastMessage | undefined;
}

// As many as Twilio gives at once, and so many times: an application may ask for the count of every channel.
const PAGE_SIZE = 100;
const MAX_PAGES = 10;

/** Corrects what Twilio counts. */
export function counts<Message extends Readable, File extends PortFile>(
  port: ChannelPort<Message, File>,
  hidden: HiddenMessages,
): Counts {
  function isHidden(message: Message): boolean {
    const read = port.read(message);
    if (hidden.indexes.has(read.index)) return true;
    return looksLikeKeyMessage(read.text) || keyFile(read)?.isKey === true;
  }

  /**
   * How many of the unread are hidden, from the last one back. So many as are counted are the last ones:
   * the SDK may not have heard yet up to where they were read.
   */
  async function hiddenUnread(count: number, isUnread: (message: Message) => boolean) {
    let page = await port.page(Math.min(count, PAGE_SIZE));
    let [found, left] = [0, count];
    for (let pages = 1; ; pages++) {
      const unread = page.items.slice(-left).filter(isUnread);
      found += unread.filter(isHidden).length;
      left -= unread.length;
      const [first] = page.items;
      const isOver = left <= 0 || unread.length < page.items.length || !page.hasPrevPage;
      if (isOver || !first || pages >= MAX_PAGES) return found;
      page = await page.prevPage();
      // The SDK says for ever that there is a page before, when messages were removed unseen.
      if (page.items[0] === first) return found;
    }
  }

  return {
    total: (count) => Math.max(0, count - hidden.indexes.size),
    async unread(count, lastRead) {
      if (count === null || count === 0) return count;
      const isUnread = (message: Message): boolean => port.read(message).index > (lastRead ?? -1);
      // What was asked for, such as to read up to a message, is done: that is no failure of it.
      return Math.max(0, count - (await hiddenUnread(count, isUnread).catch(() => 0)));
    },
    last(last) {
      if (last?.index === undefined || !hidden.indexes.has(last.index)) return last;
      return hidden.lastShown ?? undefined;
    },
  };
}
