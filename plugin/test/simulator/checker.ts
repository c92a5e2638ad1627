/**
 * Compares what readers are shown with what really happened. Knows the plugin's promises and none
 * of its code.
 */
import type { MessageEncryption } from 'twilio-chat-encryption';
import { FORGED, type Genuine, type Model, type Sent } from './model.ts';

/** A message as an application is shown it, at one moment. */
export interface Shown {
  readonly channelSid: string;
  readonly sid: string;
  readonly index: number;
  readonly author: string;
  readonly body: string;
  readonly attributes: unknown;
  readonly encryption: MessageEncryption;
}

/** A message as Twilio delivered it to a reader. */
export type Delivered = Pick<Shown, 'sid' | 'index' | 'author'> & { readonly body: string };

/** All of a channel, read at once. */
export interface Reading {
  readonly channelSid: string;
  readonly shown: readonly Shown[];
  /** The same messages, when all that the SDK learned meanwhile has been judged. */
  readonly settled: readonly Shown[];
  readonly delivered: readonly Delivered[];
}

/** What a device has shown so far, over all its runs. */
export interface Memory {
  readonly reader: string;
  readonly places: Map<Sent, string>;
  readonly residents: Map<string, Sent>;
  readonly newest: Map<Sent, number>;
  readonly versions: Map<Sent, Set<number>>;
  /** What this run has seen of senders' numbers. */
  readonly numbers: Set<string>;
}

/** A device that has shown nothing. */
export function blankMemory(reader: string): Memory {
  return {
    reader,
    places: new Map(),
    residents: new Map(),
    newest: new Map(),
    versions: new Map(),
    numbers: new Set(),
  };
}

type Untold = Exclude<MessageEncryption['status'], 'verified'>;

const CODES: Readonly<Record<Untold, readonly string[]>> = {
  // All channels are encrypted here.
  clear: [],
  pending: ['CARD_PENDING', 'KEY_PENDING', 'STORE_PENDING'],
  unavailable: ['SENT_BEFORE_JOIN', 'SENT_BEFORE_DEVICE', 'NOT_ADDRESSED', 'KEY_MISSING'],
  rejected: [
    'PLAINTEXT',
    'MALFORMED',
    'UNSUPPORTED_VERSION',
    'COMMITMENT_MISMATCH',
    'DECRYPTION_FAILED',
    'BAD_SIGNATURE',
    'WRONG_CHANNEL',
    'WRONG_AUTHOR',
    'REPLAYED',
  ],
};

/** What is wrong with a message that is shown; the device remembers it. */
export function checkShown(model: Model, memory: Memory, shown: Shown): string[] {
  const { encryption, body, attributes, index } = shown;
  const wrong = (what: string): string => `${memory.reader} is shown at ${index}: ${what}`;
  const problems: string[] = [];
  if (`${body} ${JSON.stringify(attributes)}`.includes(FORGED)) problems.push("Twilio's words");
  if (encryption.status === 'verified') {
    problems.push(...checkVerified(model, memory, shown, encryption));
  } else {
    const { status, code } = encryption;
    if (!CODES[status].includes(code)) problems.push(`the code ${code}`);
    if (body !== `[${status}: ${code}]`) problems.push(`the placeholder ${body}`);
    if (JSON.stringify(attributes) !== '{}') problems.push('attributes of what is not verified');
  }
  return problems.map(wrong);
}

type Verified = Extract<MessageEncryption, { status: 'verified' }>;

function checkVerified(
  model: Model,
  memory: Memory,
  { channelSid, sid, index, body, attributes }: Shown,
  { sender, messageId, revision, anomalies }: Verified,
): string[] {
  const origin = model.originOf(body, attributes);
  if (!origin) return [`what nobody sent, as verified: ${body} ${JSON.stringify(attributes)}`];
  const { sent } = origin;
  const version = sent.versions[origin.version];
  const problems: string[] = [];
  const expect = (holds: boolean, otherwise: string): void => {
    if (!holds) problems.push(`${otherwise} (${body.slice(0, 12)})`);
  };

  expect(sender.identity === sent.author, 'the wrong author');
  expect(sender.cardId === sent.cardId, 'the wrong card');
  expect(channelSid === sent.channelSid, 'a message of another channel');
  expect(version?.audience.has(memory.reader) ?? false, 'what was not sent to this reader');

  sent.messageId ??= messageId;
  expect(messageId === sent.messageId, 'another message id than before');
  if (version) {
    const looks = JSON.stringify([body, attributes]);
    version.revision ??= revision;
    version.looks ??= looks;
    expect(version.revision === revision, 'another revision than before');
    expect(version.looks === looks, 'other content than before');
  }
  expect((revision === 0) === (origin.version === 0), `revision ${revision}`);

  const place = `${sid}/${index}`;
  const resident = memory.residents.get(`${channelSid}/${index}`) ?? sent;
  // A new edit may come to a copy: then the message stands there.
  const isNewer = revision > (memory.newest.get(sent) ?? 0);
  expect(
    isNewer || (memory.places.get(sent) ?? place) === place,
    'what was shown elsewhere before',
  );
  expect(resident === sent, 'another message than before');

  const isOlder = revision < (memory.newest.get(sent) ?? 0);
  const isMarked = anomalies.some(({ code }) => code === 'ROLLED_BACK');
  expect(isMarked || !isOlder, 'an older version, not marked as such');
  remember(memory, { channelSid, index, place }, sent, { revision, version: origin.version });
  return problems;
}

function remember(
  memory: Memory,
  at: { readonly channelSid: string; readonly index: number; readonly place: string },
  sent: Sent,
  { revision, version }: { readonly revision: number; readonly version: number },
): void {
  const isNewer = revision > (memory.newest.get(sent) ?? 0);
  if (isNewer || !memory.places.has(sent)) memory.places.set(sent, at.place);
  const here = `${at.channelSid}/${at.index}`;
  if (!memory.residents.has(here)) memory.residents.set(here, sent);
  memory.newest.set(sent, Math.max(memory.newest.get(sent) ?? 0, revision));
  memory.versions.set(sent, (memory.versions.get(sent) ?? new Set()).add(version));
  if (sent.home) memory.numbers.add(`${sent.cardId}/${sent.home.sequence}`);
}

/** Whether something is shown twice among these. */
export function checkOnce(memory: Memory, shown: readonly Shown[]): string[] {
  const ids = shown.flatMap(({ encryption }) =>
    encryption.status === 'verified' ? [encryption.messageId] : [],
  );
  return new Set(ids).size === ids.length ? [] : [`${memory.reader} is shown a message twice`];
}

// Only when nothing is on its way: see `simulator-found.test.ts`.
function checkAuthor({ reader }: Memory, { author, encryption, index }: Shown): string[] {
  if (encryption.status !== 'verified' || encryption.sender.identity === author) return [];
  return [`${reader} at ${index}: Twilio's author ${author} of a verified message`];
}

/** What is wrong with the history, after {@link checkShown} of each of its messages. */
export function checkReading(model: Model, memory: Memory, reading: Reading): string[] {
  const { shown, delivered } = reading;
  const byIndex = new Map(shown.map((one) => [one.index, one]));
  const indexes = new Set(delivered.map(({ index }) => index));
  const problems = [
    ...checkOnce(memory, shown),
    ...reading.settled.flatMap((one) => checkAuthor(memory, one)),
    ...shown
      .filter(({ index }) => !indexes.has(index))
      .map(({ index }) => `${memory.reader} is shown at ${index} what was not delivered`),
  ];
  for (const one of delivered) {
    const here = byIndex.get(one.index);
    const problem = checkPlace(model, memory, { ...one, channelSid: reading.channelSid }, here);
    if (problem !== null) problems.push(`${memory.reader} at ${one.index}: ${problem}`);
  }
  return problems;
}

type Place = Delivered & { readonly channelSid: string };

function checkPlace(
  model: Model,
  memory: Memory,
  delivered: Place,
  shown: Shown | undefined,
): string | null {
  const genuine = readable(model, memory, delivered);
  const isHidden = shown === undefined;
  if (!genuine) return isHidden ? 'what is no true copy was hidden' : null;
  if (genuine.kind === 'key') return null;
  const { sent, version } = genuine;
  const place = memory.places.get(sent);
  const isElsewhere = place !== undefined && place !== `${delivered.sid}/${delivered.index}`;
  if (isElsewhere) {
    const resident = memory.residents.get(`${delivered.channelSid}/${delivered.index}`) ?? sent;
    if (isHidden && resident !== sent) return 'a message was replaced by nothing';
    const isKnown = memory.versions.get(sent)?.has(version) ?? false;
    if (isHidden) return isKnown ? null : 'a version that was never shown was hidden';
    const isPlainCopy =
      isKnown && isFirstGuest(model, delivered) && shown.encryption.status !== 'pending';
    return isPlainCopy ? `a copy was not hidden: ${JSON.stringify(shown.encryption)}` : null;
  }
  if (isHidden) return 'a message that stands nowhere else was hidden';
  if (!mustBeReadable(model, sent, delivered)) return null;
  if (shown.encryption.status !== 'verified') {
    return `a true message is ${JSON.stringify(shown.encryption)}`;
  }
  const origin = model.originOf(shown.body, shown.attributes);
  return origin?.version === version ? null : 'another version than the delivered one';
}

/** What a client posted, when nothing about it is wrong for this reader but perhaps its place. */
function readable(model: Model, memory: Memory, delivered: Place): Genuine | null {
  const genuine = model.genuine.get(delivered.body);
  if (!genuine) return null;
  const { author, channelSid } = genuine.kind === 'key' ? genuine : genuine.sent;
  const audience =
    genuine.kind === 'key' ? genuine.audience : genuine.sent.versions[genuine.version]?.audience;
  const isRight = author === delivered.author && channelSid === delivered.channelSid;
  return isRight && audience?.has(memory.reader) ? genuine : null;
}

/** The key message of this card with this number. */
function keyMessage(model: Model, channelSid: string, cardId: string, sequence: number) {
  return [...model.genuine.values()].find(
    (one) =>
      one.kind === 'key' &&
      one.channelSid === channelSid &&
      one.cardId === cardId &&
      one.sequence === sequence,
  );
}

/** Whether nothing else that is true ever stood here, and nobody sent anything here. */
function isFirstGuest(model: Model, { channelSid, index }: Place): boolean {
  const isHome = [...model.genuine.values()].some((one) => {
    const home = one.kind === 'key' ? one.index : one.sent.home?.index;
    return home === index && channelOf(one) === channelSid;
  });
  return !isHome && model.touched(channelSid, index) === 1;
}

function channelOf(genuine: Genuine): string {
  return genuine.kind === 'key' ? genuine.channelSid : genuine.sent.channelSid;
}

/** Whether nothing that Twilio did can be the reason that this is not shown. */
function mustBeReadable(model: Model, sent: Sent, { channelSid, sid, index }: Place): boolean {
  return (
    sent.home?.index === index &&
    sent.home.sid === sid &&
    model.touched(channelSid, index) === 0 &&
    !sent.versions.some(({ text }) => text !== null && model.needsDamagedKey(channelSid, text))
  );
}

/**
 * Whether what is missing between two messages of a sender, everything between which was read, is
 * reported.
 */
export function checkGaps(model: Model, memory: Memory, reading: Reading): string[] {
  const placed = placedOf(model, memory, reading);
  const isRead = readIndexes(reading);
  return placed.flatMap((one, at) => {
    const next = placed[at + 1];
    if (!next || next.cardId !== one.cardId) return [];
    const missing = range(one.sequence + 1, next.sequence);
    const isProof =
      missing.length > 0 &&
      range(one.index + 1, next.index).every((index) => isRead.has(index)) &&
      !missing.some((number) => memory.numbers.has(`${one.cardId}/${number}`)) &&
      // A key message is not shown: this run may have seen it live.
      !missing.some((number) => keyMessage(model, reading.channelSid, one.cardId, number));
    // What is missing between key messages is told at the next message that is shown, if there is one.
    const isTold = placed.some(({ cardId, isShown }) => cardId === one.cardId && isShown);
    const isReported = placed.some(
      ({ cardId, gaps }) =>
        cardId === one.cardId && gaps.includes(`${one.sequence + 1} ${next.sequence - 1}`),
    );
    if (one.index > next.index || !isProof || !isTold || isReported) return [];
    const [from, to] = [missing[0] ?? 0, missing.at(-1) ?? 0];
    return [`${memory.reader} is not told that ${from} to ${to} are missing before ${next.index}`];
  });
}

interface Placed {
  readonly cardId: string;
  readonly sequence: number;
  readonly index: number;
  readonly isShown: boolean;
  readonly gaps: readonly string[];
}

/** Messages and key messages that were accepted where they stand, by card and number. */
function placedOf(model: Model, memory: Memory, { channelSid, ...reading }: Reading): Placed[] {
  const shown = new Map(reading.shown.map((one) => [one.index, one]));
  const placed = reading.delivered.flatMap(({ index, ...rest }): Placed[] => {
    const genuine = readable(model, memory, { ...rest, index, channelSid });
    const here = shown.get(index);
    // A copy of a key message is hidden just so, and says nothing.
    const isHome = genuine?.kind === 'key' && genuine.index === index;
    if (isHome && !here && model.touched(channelSid, index) === 0)
      return [{ ...genuine, index, isShown: false, gaps: [] }];
    if (genuine?.kind !== 'message' || here?.encryption.status !== 'verified') return [];
    const { cardId, home } = genuine.sent;
    const gaps = here.encryption.anomalies.flatMap((anomaly) =>
      anomaly.code === 'GAP' ? [`${anomaly.from} ${anomaly.to}`] : [],
    );
    return home ? [{ cardId, sequence: home.sequence, index, isShown: true, gaps }] : [];
  });
  return placed.sort((one, other) =>
    one.cardId === other.cardId
      ? one.sequence - other.sequence
      : one.cardId < other.cardId
        ? -1
        : 1,
  );
}

function readIndexes({ shown, delivered }: Reading): ReadonlySet<number> {
  const pending = shown.filter(({ encryption }) => encryption.status === 'pending');
  const undecided = new Set(pending.map(({ index }) => index));
  return new Set(delivered.map(({ index }) => index).filter((index) => !undecided.has(index)));
}

function range(from: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - from) }, (_, at) => from + at);
}

/** What must not be when nobody tampers with anything. */
export function checkHonest(model: Model, memory: Memory, shown: Shown): string[] {
  const { encryption, index } = shown;
  const wrong = (what: string): string[] => [`${memory.reader}, honestly, at ${index}: ${what}`];
  if (encryption.status === 'unavailable') {
    return encryption.code === 'SENT_BEFORE_JOIN' ? [] : wrong(encryption.code);
  }
  if (encryption.status !== 'verified') return wrong(JSON.stringify(encryption));
  return encryption.anomalies.flatMap((anomaly) => {
    // What somebody sent while the reader was no member is missing to him.
    const isExplained =
      anomaly.code === 'GAP' &&
      range(anomaly.from, anomaly.to + 1).every((number) =>
        isForOthers(model, memory, encryption.sender.cardId, shown.channelSid, number),
      );
    return isExplained ? [] : wrong(JSON.stringify(anomaly));
  });
}

function isForOthers(
  model: Model,
  { reader }: Memory,
  cardId: string,
  channelSid: string,
  sequence: number,
): boolean {
  return [...model.genuine.values()].some((one) => {
    if (one.kind === 'key') {
      const isIt =
        one.cardId === cardId && one.channelSid === channelSid && one.sequence === sequence;
      return isIt && !one.audience.has(reader);
    }
    const { sent } = one;
    const isIt = sent.cardId === cardId && sent.channelSid === channelSid;
    return (
      isIt &&
      sent.home?.sequence === sequence &&
      // An edit may be for others than the original.
      sent.versions.some(({ audience }) => !audience.has(reader))
    );
  });
}
