/** Finds the key message that a follower needs. */
import { isEncryptionError } from '../errors.ts';
import {
  looksLikeKeyMessage,
  MAX_FILE_CHARACTERS,
  parseEnvelope,
  type Envelope,
  type SessionReference,
} from '../protocol/header.ts';
import type { VerifiedMessage } from '../protocol/message-envelope.ts';
import { equal, hex } from '../protocol/primitives.ts';
import type { Session } from '../protocol/session.ts';
import type { DeliveredMessage } from './delivered.ts';
import { outcomeOf } from './message-encryption.ts';

/**
 * What was found: the session; `foreign`: its key message is there but not for this device;
 * `missing`: it is not there.
 */
export type FoundSession = Session | 'foreign' | 'missing';

/** Finds the session that a delivered follower names. Rejects when it could not look. */
export type FindSession = (
  delivered: DeliveredMessage,
  reference: SessionReference,
) => Promise<FoundSession>;

/** The file of a delivered message as text; null when it could not be loaded, or there is none. */
export type LoadFile = (delivered: DeliveredMessage) => Promise<string | null>;

// Twilio may have put others between: the locator is only where to look first.
const RADIUS = 50;
const MAX_OPENED_FILES = 1000;
const MAX_OPENED_BODIES = 1000;

/** What came of a key message in a body, of this author. */
interface OpenedBody {
  readonly author: string;
  readonly body: string;
  readonly opening: Promise<Session | 'foreign' | null>;
}

/** Loads files. A file is large: all who want it while it comes share it. */
export function fileLoader(): LoadFile {
  const loads = new Map<string, Promise<string | null>>();
  return async (delivered) => {
    const { file } = delivered;
    if (!file) return null;
    const name = placeOf(delivered);
    const load =
      loads.get(name) ??
      file
        .load()
        .catch(() => null)
        .finally(() => loads.delete(name));
    loads.set(name, load);
    return load;
  };
}

function placeOf({ channelSid, messageSid, index }: DeliveredMessage): string {
  return `${channelSid}/${messageSid}/${index}`;
}

/**
 * @param open opens a key message, verifies it and keeps its session; null when it is not for
 * this device
 */
export function keyMessages(
  open: (delivered: DeliveredMessage, envelope: Envelope) => Promise<VerifiedMessage | null>,
  load: LoadFile,
): FindSession {
  const lookups = new Map<string, Promise<FoundSession>>();
  // Nobody vouches for what a follower names before it is opened: those that name a session which is
  // not in a file must not have the file loaded each time. Only what was verified is remembered, so
  // that a file which Twilio bends for a while is read again.
  const openedFiles = new Map<string, Promise<Session | 'foreign' | null>>();

  const openedBodies = new Map<string, OpenedBody>();

  async function openCandidate(
    candidate: DeliveredMessage,
    withFile: boolean,
  ): Promise<Session | 'foreign' | null> {
    const envelope = await keyEnvelope(candidate, load, withFile);
    return envelope && openUnlessRefused(candidate, envelope);
  }

  function openFile(candidate: DeliveredMessage): Promise<Session | 'foreign' | null> {
    const name = placeOf(candidate);
    const known = openedFiles.get(name);
    if (known) return known;
    if (openedFiles.size >= MAX_OPENED_FILES) openedFiles.clear();
    const opening = openCandidate(candidate, true);
    openedFiles.set(name, opening);
    const forgetUnlessVerified = (opened?: Session | 'foreign' | null): void => {
      if (!opened || opened === 'foreign') openedFiles.delete(name);
    };
    opening.then(forgetUnlessVerified, () => {
      forgetUnlessVerified();
    });
    return opening;
  }

  // A member can put a hundred key messages around a place, and name it in followers without end:
  // each of those is opened once, not once for every follower.
  function openBody(candidate: DeliveredMessage): Promise<Session | 'foreign' | null> {
    const { author, body } = candidate;
    const name = placeOf(candidate);
    const known = openedBodies.get(name);
    if (known?.author === author && known.body === body) return known.opening;
    if (openedBodies.size >= MAX_OPENED_BODIES) openedBodies.clear();
    const opening = openCandidate(candidate, false);
    openedBodies.set(name, { author, body, opening });
    opening.catch(() => openedBodies.delete(name));
    return opening;
  }

  async function lookUp(
    delivered: DeliveredMessage,
    { sessionId, keyMessageIndex }: SessionReference,
  ): Promise<FoundSession> {
    let foreign = false;
    for (const radius of [0, RADIUS]) {
      for (const candidate of await delivered.around(keyMessageIndex, radius)) {
        // A session is its author's. Files are large: only the one that is named is loaded.
        if (candidate.author !== delivered.author) continue;
        const isNamed = radius === 0;
        const opened = await (candidate.file
          ? isNamed && openFile(candidate)
          : openBody(candidate));
        if (!opened) continue;
        if (opened === 'foreign') foreign ||= candidate.index === keyMessageIndex;
        else if (equal(opened.sessionId, sessionId)) return opened;
      }
    }
    return foreign ? 'foreign' : 'missing';
  }

  // One that is forged does not stop the search; one that cannot be decided yet does.
  async function openUnlessRefused(
    candidate: DeliveredMessage,
    envelope: Envelope,
  ): Promise<Session | 'foreign' | null> {
    try {
      const opened = await open(candidate, envelope);
      return opened ? (opened.session ?? null) : 'foreign';
    } catch (error) {
      if (outcomeOf(error).status !== 'rejected') throw error;
      // What is wrong with a card is the directory's answer of now.
      if (isEncryptionError(error, 'CARD_INVALID', 'CARD_REVOKED')) {
        openedBodies.delete(placeOf(candidate));
      }
      return null;
    }
  }

  return (delivered, reference) => {
    // Many followers of one session arrive together: they wait for one lookup. Not for that of one in
    // somebody else's name, which does not find what is theirs.
    const { channelSid, author } = delivered;
    const { sessionId, keyMessageIndex } = reference;
    const name = `${channelSid}/${hex.encode(sessionId)}/${keyMessageIndex}/${author}`;
    const lookup =
      lookups.get(name) ?? lookUp(delivered, reference).finally(() => lookups.delete(name));
    lookups.set(name, lookup);
    return lookup;
  };
}

async function keyEnvelope(
  candidate: DeliveredMessage,
  load: LoadFile,
  withFile: boolean,
): Promise<Envelope | null> {
  // A hundred messages are looked at for one follower: most of them by their first bytes only.
  if (candidate.file ? !withFile : !looksLikeKeyMessage(candidate.body)) return null;
  try {
    const envelope = await envelopeOf(candidate, load, withFile);
    return envelope?.type === 'key' ? envelope : null;
  } catch (error) {
    if (isEncryptionError(error, 'PLAINTEXT', 'MALFORMED', 'UNSUPPORTED_VERSION')) return null;
    throw error;
  }
}

/**
 * The envelope of a delivered message: its body, or its file when the message says that this is one.
 * @param whole takes the file whatever the message says
 * @returns null when the file could not be loaded
 * @throws EncryptionError as {@link parseEnvelope}
 */
export async function envelopeOf(
  delivered: DeliveredMessage,
  load: LoadFile,
  whole = false,
): Promise<Envelope | null> {
  const { body, file } = delivered;
  if (!file || !(file.isKey || whole)) return parseEnvelope(body);
  const text = await load(delivered);
  return text === null ? null : parseEnvelope(text, MAX_FILE_CHARACTERS);
}
