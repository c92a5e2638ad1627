/**
 * What this device remembers of the messages it accepted, so that Twilio cannot show one of them
 * again elsewhere, another one in its place, or an older version of it.
 */
import type { CardId, ChannelSid, MessageId } from '../protocol/identifiers.ts';
import type { SignedMessage } from '../protocol/message.ts';
import type { KeyStore } from './key-store.ts';
import { arrayOf, isCount, isText, objectOf } from './shape.ts';
import { updateState, type StateType } from './state.ts';

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
 *   `rolledBack`: a later version of it was here already
 * - `copy` the very bytes of a message that stands elsewhere
 * - `replayed` another message stood here, or this one with other bytes
 */
export type Verdict =
  | { readonly is: 'known'; readonly fork: boolean; readonly rolledBack: boolean }
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
  readonly versions: readonly Version[];
}

const ENTRIES: StateType<readonly Entry[]> = {
  initial: [],
  isValid: arrayOf(
    objectOf<Entry>({
      messageId: isText,
      place: isText,
      versions: arrayOf(objectOf<Version>({ revision: isCount, digest: isText })),
    }),
  ),
};

// A sender who forks or edits without end fills no more than this.
const MAX_ENTRIES = 16;
const MAX_VERSIONS = 16;

/** Remembers a sight, and says what it is. */
export type Ledger = (sight: Sight) => Promise<Verdict>;

/** The ledger of the device with this card. Errors are those of {@link updateState}. */
export function ledger(store: KeyStore, own: CardId): Ledger {
  return async (sight) => {
    const { channelSid, messageSid, index, name } = sight;
    const message = `${name.cardId}/${name.sequence}/${name.messageId}`;
    const placeName = `place/${own}/${channelSid}/${index}`;
    // Sid and index: a copy may carry the very sid of the original, or stand at its index.
    const { after: here } = await updateState(store, placeName, PLACE, (first) =>
      first.sid === '' ? { sid: messageSid, message } : first,
    );
    if (here.sid !== messageSid || here.message !== message) return { is: 'replayed' };

    const verdicts: Verdict[] = [];
    const entryName = `message/${own}/${channelSid}/${name.cardId}/${name.sequence}`;
    await updateState(store, entryName, ENTRIES, (entries) => {
      const { verdict, after } = compare(entries, sight, `${messageSid}/${index}`);
      verdicts.push(verdict);
      return after;
    });
    return verdicts.at(-1) ?? { is: 'replayed' };
  };
}

function compare(
  entries: readonly Entry[],
  { name: { messageId }, revision, digest }: Sight,
  place: string,
): { readonly verdict: Verdict; readonly after: readonly Entry[] } {
  const known = entries.find((entry) => entry.messageId === messageId);
  const fork = entries.some((entry) => entry.messageId !== messageId);
  if (!known) {
    if (entries.length >= MAX_ENTRIES) return { verdict: { is: 'replayed' }, after: entries };
    const entry = { messageId, place, versions: [{ revision, digest }] };
    return { verdict: { is: 'known', fork, rolledBack: false }, after: [...entries, entry] };
  }
  const same = known.versions.some((version) => version.digest === digest);
  if (known.place !== place) {
    return { verdict: { is: same ? 'copy' : 'replayed' }, after: entries };
  }
  const rolledBack = known.versions.some((version) => version.revision > revision);
  if (same) return { verdict: { is: 'known', fork, rolledBack }, after: entries };
  const rival = known.versions.some((version) => version.revision === revision);
  // An original is one envelope. Edits of two devices at once may share a revision.
  if (rival && revision === 0) return { verdict: { is: 'replayed' }, after: entries };
  const versions = [...known.versions, { revision, digest }]
    .sort((one, other) => one.revision - other.revision)
    .slice(-MAX_VERSIONS);
  const after = entries.map((entry) => (entry === known ? { ...entry, versions } : entry));
  return { verdict: { is: 'known', fork: fork || rival, rolledBack }, after };
}
