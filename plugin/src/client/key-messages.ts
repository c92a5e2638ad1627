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

// Twilio may have put others between: the locator is only where to look first.
const RADIUS = 50;

/**
 * @param open opens a key message, verifies it and keeps its session; null when it is not for
 * this device
 */
export function keyMessages(
  open: (delivered: DeliveredMessage, envelope: Envelope) => Promise<VerifiedMessage | null>,
): FindSession {
  const lookups = new Map<string, Promise<FoundSession>>();

  async function lookUp(
    delivered: DeliveredMessage,
    { sessionId, keyMessageIndex }: SessionReference,
  ): Promise<FoundSession> {
    let foreign = false;
    for (const radius of [0, RADIUS]) {
      for (const candidate of await delivered.around(keyMessageIndex, radius)) {
        // A session is its author's. Files are large: only the one that is named is loaded.
        if (candidate.author !== delivered.author) continue;
        const envelope = await keyEnvelope(candidate, radius === 0);
        const opened = envelope && (await openUnlessRefused(candidate, envelope));
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
      if (outcomeOf(error).status === 'rejected') return null;
      throw error;
    }
  }

  return (delivered, reference) => {
    // Many followers of one session arrive together: they wait for one lookup.
    const name = `${delivered.channelSid}/${hex.encode(reference.sessionId)}/${reference.keyMessageIndex}`;
    const lookup =
      lookups.get(name) ?? lookUp(delivered, reference).finally(() => lookups.delete(name));
    lookups.set(name, lookup);
    return lookup;
  };
}

async function keyEnvelope(
  candidate: DeliveredMessage,
  withFile: boolean,
): Promise<Envelope | null> {
  // A hundred messages are looked at for one follower: most of them by their first bytes only.
  if (candidate.file ? !withFile : !looksLikeKeyMessage(candidate.body)) return null;
  try {
    const envelope = await envelopeOf(candidate, withFile);
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
  { body, file }: DeliveredMessage,
  whole = false,
): Promise<Envelope | null> {
  if (!file || !(file.isKey || whole)) return parseEnvelope(body);
  const text = await file.load().catch(() => null);
  return text === null ? null : parseEnvelope(text, MAX_FILE_CHARACTERS);
}
