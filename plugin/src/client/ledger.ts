/**
 * What this device remembers of the messages it accepted, so that Twilio cannot show one of them
 * again elsewhere, another one in its place, or an older version of it.
 */
import type { CardId, ChannelSid, MessageId } from '../protocol/identifiers.ts';
import type { SignedMessage } from '../protocol/message.ts';
import { arrayOf, isCount, isText, objectOf } from './shape.ts';
import type { RecordChange } from './key-store.ts';
import { type Records, stateChange, type StateType, updateRecords } from './state.ts';

/** Which message something is, or is an edit of. */
export interface MessageName {
  /** The card that signed the original. */
  readonly cardId: CardId;
  readonly messageId: MessageId;
  readonly sequence: number;
}

/** A verified message at the place where Twilio shows it. */
export interface Sight {
  readonly channelSid: ChannelSid;
  readonly messageSid: string;
  readonly index: number;
  readonly name: MessageName;
  /** 0 for the original, then as the edits count. */
  readonly revision: number;
  /** Of the envelope's bytes. */
  readonly digest: string;
}

/**
 * What a sight is, by what was seen before.
 * - `known` this message belongs here; `fork`: its number was used for another one as well;
 *   `latestRevision`: of the latest version that was seen, which a message that Twilio rolled back is
 *   behind
 * - `copy` the very bytes of a message that stands elsewhere
 * - `replayed` another message stood here, or this one with other bytes
 */
export type Verdict =
  | { readonly is: 'known'; readonly fork: boolean; readonly latestRevision: number }
  | { readonly is: 'copy' | 'replayed' };

/** The name of a message, or of the message that it edits. */
export function nameOf(message: SignedMessage): MessageName {
  if (message.kind === 'edit') return message.target;
  const { senderCardId, messageId, sequence } = message;
  return { cardId: senderCardId, messageId, sequence };
}

interface PlaceState {
  readonly sid: string;
  readonly message: string;
}

const PLACE: StateType<PlaceState> = {
  initial: { sid: '', message: '' },
  isValid: objectOf<PlaceState>({ sid: isText, message: isText }),
};

interface Version {
  readonly revision: number;
  readonly digest: string;
}

/** One message under a number. More than one is a fork. */
interface Entry {
  readonly messageId: string;
  readonly place: string;
  /** Other places where its very bytes were seen: any of them may be the one that its sender edits. */
  readonly copies: readonly string[];
  readonly versions: readonly Version[];
}

const ENTRIES: StateType<readonly Entry[]> = {
  initial: [],
  isValid: arrayOf(
    objectOf<Entry>({
      messageId: isText,
      place: isText,
      copies: arrayOf(isText),
      versions: arrayOf(objectOf<Version>({ revision: isCount, digest: isText })),
    }),
  ),
};

// A sender who forks or edits without end fills no more than this.
const MAX_ENTRIES = 16;
const MAX_VERSIONS = 16;
// A message whose fate was unknown is posted three times at most. Of more copies, edits are refused.
const MAX_COPIES = 8;

/** Remembers sights, one after the other, and says what each of them is. */
export type Ledger = (sights: readonly Sight[]) => Promise<readonly Verdict[]>;

/** The ledger of a device. Errors are those of `updateState`. */
export function ledger(store: Records): Ledger {
  return async (sights) => {
    const all = sights.map(record);
    if (all.length === 0) return [];
    // A page of messages waits for the disk once.
    await updateRecords(
      store,
      all.flatMap(({ changes }) => changes),
    );
    return all.map(({ verdict }) => verdict());
  };
}

/** The updates that remember a sight, and what it is when they are made. */
function record(sight: Sight): {
  readonly changes: readonly RecordChange[];
  readonly verdict: () => Verdict;
} {
  const { channelSid, messageSid, index, name } = sight;
  const message = `${name.cardId}/${name.sequence}/${name.messageId}`;
  const replayed: Verdict = { is: 'replayed' };
  let isHere = false;
  let verdict: Verdict = replayed;
  // Sid and index: a copy may carry the very sid of the original, or stand at its index.
  const place = stateChange(`place/${channelSid}/${index}`, PLACE, (first) => {
    const here = first === PLACE.initial ? { sid: messageSid, message } : first;
    isHere = here.sid === messageSid && here.message === message;
    return here;
  });
  const entryName = `message/${channelSid}/${name.cardId}/${name.sequence}`;
  const entry = stateChange(entryName, ENTRIES, (entries) => {
    const compared = isHere
      ? compare(entries, sight, `${messageSid}/${index}`)
      : { verdict: replayed, after: entries };
    ({ verdict } = compared);
    return compared.after;
  });
  return { changes: [place, entry], verdict: () => verdict };
}

interface Comparison {
  readonly verdict: Verdict;
  readonly after: readonly Entry[];
}

function compare(
  entries: readonly Entry[],
  { name: { messageId }, revision, digest }: Sight,
  place: string,
): Comparison {
  const known = entries.find((entry) => entry.messageId === messageId);
  const fork = entries.some((entry) => entry.messageId !== messageId);
  const refused: Comparison = { verdict: { is: 'replayed' }, after: entries };
  const replaced = (entry: Entry): readonly Entry[] =>
    entries.map((one) => (one === known ? entry : one));
  if (!known) {
    if (entries.length >= MAX_ENTRIES) return refused;
    const entry = { messageId, place, copies: [], versions: [{ revision, digest }] };
    return {
      verdict: { is: 'known', fork, latestRevision: revision },
      after: [...entries, entry],
    };
  }
  const { copies, versions } = known;
  const latest = versions.at(-1)?.revision ?? 0;
  const same = versions.some((version) => version.digest === digest);
  const isElsewhere = known.place !== place;
  if (isElsewhere && same)
    return { verdict: { is: 'copy' }, after: replaced(withCopy(known, place)) };
  // The first to be seen may have been the copy: a new edit says which one its sender means.
  if (isElsewhere && !(copies.includes(place) && revision > latest)) return refused;
  if (same) return { verdict: { is: 'known', fork, latestRevision: latest }, after: entries };
  const rival = versions.some((version) => version.revision === revision);
  // An original is one envelope. Edits of two devices at once may share a revision.
  if (rival && revision === 0) return refused;
  const entry: Entry = {
    ...(isElsewhere ? withCopy(known, known.place) : known),
    place,
    versions: [...versions, { revision, digest }]
      .sort((one, other) => one.revision - other.revision)
      .slice(-MAX_VERSIONS),
  };
  const latestRevision = Math.max(latest, revision);
  return { verdict: { is: 'known', fork: fork || rival, latestRevision }, after: replaced(entry) };
}

function withCopy(entry: Entry, place: string): Entry {
  const { copies } = entry;
  if (copies.includes(place) || copies.length >= MAX_COPIES) return entry;
  return { ...entry, copies: [...copies, place] };
}
