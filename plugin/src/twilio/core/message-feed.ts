import type { DeliveredMessage } from '../../client/delivered.ts';
import type { Device } from '../../client/device.ts';
import type { JudgedMessage, ReceivedMessage } from '../../client/judged.ts';
import { callSafely } from '../../client/emitter.ts';
import { isEncryptionError } from '../../errors.ts';
import type { Content } from '../../protocol/content.ts';
import { parseChannelSid } from '../../protocol/identifiers.ts';
import { catchUp } from './catch-up.ts';
import type { HiddenMessages } from './counts.ts';
import { editor, type Editor } from './editor.ts';
import { envelopeLimit, replaceEnvelope } from './envelope-place.ts';
import { identitiesOf } from './outlet.ts';
import { FileShelf } from './incoming-files.ts';
import { keyFile } from './key-file.ts';
import type { MessageSenderContext } from './message-sender.ts';
import { MessageState } from './message-state.ts';
import type { ChannelPort, MessageFacade } from './port.ts';
import type { PortFile, Readable } from './sdk.ts';
import type { ReplayEmitter } from './replay-emitter.ts';
import { retryQueue } from './retry-queue.ts';
import { serial } from './serial.ts';

// A message whose card takes longer is shown as pending, so that it does not hold up the others.
const PATIENCE_MILLISECONDS = 2000;

// A copy whose original comes to light so many messages later stays until it is read again.
const MAX_SHOWN_AS = 4096;

const CLEAR = Object.freeze({ status: 'clear', code: 'CHANNEL_NOT_ENCRYPTED' });

/** The opened messages of a channel, in the channel's order. */
export interface MessageFeed<Message> {
  /** Opens a page; what is hidden is left out. */
  readonly openPage: (page: readonly Message[]) => Promise<Message[]>;
  /** What was found to be hidden. */
  readonly hidden: HiddenMessages;
  /** Has this emitter told of every message event, before the channel's own listeners. */
  tellFirst(emitter: ReplayEmitter<unknown>): void;
}

/** What a feed works with. */
export interface FeedContext extends MessageSenderContext {
  /** The channel's own. */
  readonly emitter: ReplayEmitter<unknown>;
}

/** A message that was opened. */
interface OpenedMessage<Message, File extends PortFile> extends MessageFacade<Message> {
  /** What was found when it was last opened. */
  received: ReceivedMessage;
  /** What that made of it for the application, which sees nothing of a key message or a copy. */
  appearance: 'first' | 'appeared' | 'shown' | 'disappeared' | 'hidden';
  readonly shelf: FileShelf<File>;
  /** Made when it is first asked for: few messages are edited, and nobody else's are. */
  readonly editing: () => Editor;
}

interface Looks {
  readonly body: string;
  /** As JSON. */
  readonly attributes: string;
}

/**
 * Opens what the channel's events bring. Messages are judged side by side; they are compared with
 * what is remembered, and shown, one after the other in the order in which the SDK told of them.
 */
export function messageFeed<Message extends Readable, File extends PortFile>(
  port: ChannelPort<Message, File>,
  context: FeedContext,
): MessageFeed<Message> {
  const { device, rule, outlet, clearAttributes, checkSender } = context;
  const inOrder = serial();
  const opened = new WeakMap<Message, OpenedMessage<Message, File>>();
  // Shown to the application: from then on changes are told of, also that it became a copy.
  const shown = new WeakSet<Message>();
  const shownAs = new Map<string, WeakRef<Message>>();
  const attempted = new WeakMap<Message, number>();
  const judgements = new WeakMap<
    Message,
    { readonly of: string; readonly judging: Promise<JudgedMessage> }
  >();
  const emitters: ReplayEmitter<unknown>[] = [context.emitter];
  const tab = catchUp<Message>({
    accept: (judged) => device.accept(judged),
    textOf: (message) => port.read(message).text,
    knownRevision: (message) => opened.get(message)?.received.editable?.latestRevision ?? -1,
    closed: device.closed,
  });

  // What cannot be decided, because a rule throws or a store does not answer, is not clear.
  const isClear = (): Promise<boolean> => rule.isClear(port).catch(() => false);

  const isOwn = ({ encryption }: ReceivedMessage): boolean =>
    encryption.status === 'verified' && encryption.sender.identity === device.identity;

  const hidden = new Set<number>();
  let lastShown: HiddenMessages['lastShown'] = null;

  function remember(message: Message, { hidden: isHidden, editable }: ReceivedMessage): void {
    const { index, dateCreated } = port.read(message);
    if (isHidden) {
      hidden.add(index);
      shown.delete(message);
      return;
    }
    hidden.delete(index);
    shown.add(message);
    if (index >= (lastShown?.index ?? 0)) lastShown = { index, dateCreated: dateOf(dateCreated) };
    if (!editable) return;
    const name = `${editable.name.cardId}/${editable.name.messageId}`;
    const before = shownAs.get(name)?.deref();
    if (shownAs.size >= MAX_SHOWN_AS) shownAs.delete(shownAs.keys().next().value ?? '');
    shownAs.set(name, new WeakRef(message));
    // An edit showed that the one before was the copy: it says so itself when it is opened again.
    if (before && before !== message && shown.has(before)) handle(before, emitChanged);
  }

  function emit(name: string, event: unknown): void {
    for (const emitter of emitters) emitter.emit(name, event);
  }

  // What arrives together is compared together: a number that is missing in the middle may stand in
  // a message that is still being judged.
  function openAll<T>(
    messages: readonly Message[],
    justArrived: boolean,
    then: (opened: OpenedMessage<Message, File>) => T,
  ): Promise<T[]> {
    const judge = (): Promise<readonly JudgedMessage[]> =>
      Promise.all(
        messages.map(async (message) => {
          const attempts = attempted.get(message) ?? 0;
          const delivered = deliveredOf(message, port, device, { justArrived, attempts });
          return (await isClear())
            ? { delivered, outcome: CLEAR }
            : inTime(delivered, judgement(message, delivered));
        }),
      );
    const judging = judge();
    // Awaited in its turn.
    judging.catch(() => undefined);
    return inOrder(async () => {
      const received = await tab.accepted(messages, judging, judge);
      return received.flatMap((one, at) => {
        const message = messages[at];
        return message ? [then(show(message, one))] : [];
      });
    });
  }

  // A judgement that took too long goes on, and the next try waits for the same one. Of a file that
  // was read the judgement is kept: files are large, and Twilio's name of one is of one file.
  function judgement(message: Message, delivered: DeliveredMessage): Promise<JudgedMessage> {
    const { author, text, files } = port.read(message);
    const of = `${author} ${delivered.file ? files[0]?.sid : text}`;
    const known = judgements.get(message);
    if (known?.of === of) return known.judging;
    const judging = device.judge(delivered);
    judgements.set(message, { of, judging });
    const forget = (judged?: JudgedMessage): void => {
      const keep = delivered.file && judged && 'verified' in judged;
      if (!keep && judgements.get(message)?.judging === judging) judgements.delete(message);
    };
    judging.then(forget, () => {
      forget();
    });
    return judging;
  }

  function open(message: Message, received: ReceivedMessage): OpenedMessage<Message, File> {
    const current = (): ReceivedMessage => made.received;
    let editing: Editor | null = null;
    const editingOf = (): Editor =>
      (editing ??= editor(current, {
        device,
        outlet,
        checkSender,
        clearAttributes,
        open: (text) => ownContent(message, text),
        limit: (clear) => envelopeLimit(port.read(message).place, clear),
        replace: (text, clear) => replaceEnvelope(message, port.read(message).place, text, clear),
      }));
    const shelf = new FileShelf<File>(device.closed);
    const state = new MessageState(current, shelf, (changes) => editingOf().edit(changes));
    const made: OpenedMessage<Message, File> = {
      ...port.facade(message, state),
      appearance: 'hidden',
      received,
      shelf,
      editing: editingOf,
    };
    return made;
  }

  /** What an envelope of this person's says, if it stood in the message's place. */
  async function ownContent(message: Message, body: string): Promise<Content | null> {
    const delivered = deliveredOf(message, port, device, { justArrived: false, attempts: 0 });
    const judged = await device.judge({ ...delivered, body, file: null });
    return 'verified' in judged ? judged.verified.content : null;
  }

  function show(message: Message, received: ReceivedMessage): OpenedMessage<Message, File> {
    const isFirst = !opened.has(message);
    const known = opened.get(message) ?? open(message, received);
    known.received = received;
    if (isOwn(received)) known.editing().opened();
    known.shelf.update(received.content.media ?? [], port.read(message).files);
    opened.set(message, known);
    if (received.encryption.status === 'pending') {
      // Waits for a card use up none of the tries for a key message.
      const isTry = received.encryption.code === 'KEY_PENDING';
      if (isTry) attempted.set(message, (attempted.get(message) ?? 0) + 1);
      retries.add(message);
    } else {
      retries.delete(message);
    }
    const was = shown.has(message);
    if (received.hidden) known.appearance = was ? 'disappeared' : 'hidden';
    else if (isFirst) known.appearance = 'first';
    else known.appearance = was ? 'shown' : 'appeared';
    remember(message, received);
    return known;
  }

  function emitChanged(
    { facade, appearance, emitUpdated }: OpenedMessage<Message, File>,
    updateReasons: readonly string[] = ['body', 'attributes'],
  ): void {
    if (appearance === 'appeared') emit('messageAdded', facade);
    if (appearance === 'disappeared') emit('messageRemoved', facade);
    // Of a message that the application never had, it is told as the SDK tells: it was updated.
    const isUpdate = appearance === 'shown' || appearance === 'first';
    if (!isUpdate || updateReasons.length === 0) return;
    // The message's own listeners last, as with the SDKs.
    emit('messageUpdated', { message: facade, updateReasons });
    emitUpdated(updateReasons);
  }

  const retries = retryQueue<Message>(device.closed, async (messages) => {
    await openAll(messages, true, (retried) => {
      if (retried.received.encryption.status !== 'pending') emitChanged(retried);
    });
  });

  let before = true;
  // A closed device has nobody left to tell, and a channel with a sid that is none is Twilio's doing;
  // anything else is a mistake of ours that must not pass unseen.
  function handle(message: Message, then: (opened: OpenedMessage<Message, File>) => void): void {
    openAll([message], !before, then).catch((error: unknown) => {
      callSafely(() => {
        if (!device.closed.aborted && !isEncryptionError(error)) throw error;
      });
    });
  }

  port.listen({
    added(message) {
      const wasBefore = before;
      handle(message, ({ facade, received }) => {
        if (received.hidden) return;
        if (wasBefore) context.emitter.remember('messageAdded', facade);
        else emit('messageAdded', facade);
      });
    },
    updated(message, updateReasons) {
      tab.changed();
      const known = opened.get(message);
      const looked = known && looksOf(known);
      handle(message, (updated) => {
        emitChanged(updated, reasonsOf(updateReasons, looked, looksOf(updated)));
      });
    },
    removed(message) {
      handle(message, ({ facade, appearance, shelf }) => {
        retries.delete(message);
        shown.delete(message);
        // Twilio counts it no more, so there is nothing to leave out.
        hidden.delete(port.read(message).index);
        shelf.update([], []);
        if (appearance !== 'hidden') emit('messageRemoved', facade);
      });
    },
  });
  before = false;

  return {
    async openPage(page) {
      const messages = await openAll(page, false, (one) => one);
      return messages.filter(({ received }) => !received.hidden).map(({ facade }) => facade);
    },
    hidden: {
      indexes: hidden,
      get lastShown() {
        return lastShown;
      },
    },
    tellFirst(emitter) {
      emitters.unshift(emitter);
    },
  };
}

function looksOf({ received, facade }: OpenedMessage<Readable, PortFile>): Looks {
  return {
    body: `${received.encryption.status} ${facade.body ?? ''}`,
    attributes: JSON.stringify(facade.attributes),
  };
}

// Body and attributes are both in the envelope: Twilio says that the body changed.
function reasonsOf(told: readonly string[], before: Looks | undefined, after: Looks): string[] {
  const reasons = told.filter((reason) => reason !== 'body' && reason !== 'attributes');
  if (before?.body !== after.body) reasons.push('body');
  if (before?.attributes !== after.attributes) reasons.push('attributes');
  return reasons;
}

// What is known of the members now applies to what was sent now.
const LIVE_MILLISECONDS = 60_000;

/** What the SDK says of a message. */
function deliveredOf<Message extends Readable, File extends PortFile>(
  message: Message,
  port: ChannelPort<Message, File>,
  device: Device,
  { justArrived, attempts }: { readonly justArrived: boolean; readonly attempts: number },
): DeliveredMessage {
  const read = port.read(message);
  const createdAt = dateOf(read.dateCreated);
  return {
    attempts,
    isLive: justArrived && Date.now() - createdAt.getTime() < LIVE_MILLISECONDS,
    channelSid: parseChannelSid(port.sid),
    messageSid: read.sid,
    index: read.index,
    author: read.author,
    body: read.text,
    file: keyFile(read),
    fileSizes: read.files.map(({ size }) => size),
    createdAt,
    updatedAt: dateOf(read.dateUpdated),
    async joinedAt() {
      const members = await port.members().catch(() => []);
      return members.find(({ identity }) => identity === device.identity)?.dateCreated ?? null;
    },
    async members() {
      const members = await port.members().catch(() => null);
      return members && identitiesOf(members);
    },
    watchJoins: (told) => port.watchMembers(true, told),
    async around(index, radius) {
      const { items } = await port.page(2 * radius + 1, index + radius);
      const near = items.filter((one) => Math.abs(port.read(one).index - index) <= radius);
      return near.map((one) => deliveredOf(one, port, device, { justArrived, attempts: 0 }));
    },
  };
}

// The SDK says null for what Twilio does not tell or tells badly: then an invalid date.
function dateOf(date: Date | null): Date {
  return new Date(Number(date) || NaN);
}

/**
 * The judgement, or that it is pending when it takes too long. It may have been made when Twilio said
 * otherwise of what stands beside the envelope: what counts is what was delivered now.
 */
async function inTime(
  delivered: DeliveredMessage,
  judging: Promise<JudgedMessage>,
): Promise<JudgedMessage> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<JudgedMessage>((resolve) => {
    timer = setTimeout(() => {
      resolve({ delivered, outcome: { status: 'pending', code: 'CARD_PENDING' } });
    }, PATIENCE_MILLISECONDS);
  });
  try {
    return { ...(await Promise.race([judging, late])), delivered };
  } finally {
    clearTimeout(timer);
  }
}
