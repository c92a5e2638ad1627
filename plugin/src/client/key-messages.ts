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
        const envelope = await keyEnvelope(candidate, radius === 0);
        if (!envelope) continue;
        const opened = await openOrNull(candidate, envelope);
        if (opened?.session && equal(opened.session.sessionId, sessionId)) return opened.session;
        if (!opened && candidate.index === keyMessageIndex) foreign = true;
      }
    }
    return foreign ? 'foreign' : 'missing';
  }

  // One that is forged, or of another session that cannot be decided yet, does not stop the search.
  async function openOrNull(
    candidate: DeliveredMessage,
    envelope: Envelope,
  ): Promise<VerifiedMessage | null> {
    try {
      return await open(candidate, envelope);
    } catch (error) {
      if (isEncryptionError(error, 'DIRECTORY_UNREACHABLE', 'KEY_STORE_UNAVAILABLE')) throw error;
      return null;
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

async function keyEnvelope(candidate: DeliveredMessage, whole: boolean): Promise<Envelope | null> {
  // A hundred messages are looked at for one follower: most of them by their first bytes only.
  if (!candidate.file && !looksLikeKeyMessage(candidate.body)) return null;
  try {
    const envelope = await envelopeOf(candidate, whole);
    return envelope.type === 'key' ? envelope : null;
  } catch (error) {
    if (isEncryptionError(error, 'PLAINTEXT', 'MALFORMED', 'UNSUPPORTED_VERSION')) return null;
    throw error;
  }
}

/**
 * The envelope of a delivered message: its body, or its file when the message says that this is one.
 * @param whole takes the file whatever the message says
 * @throws EncryptionError as {@link parseEnvelope}, and what loading the file throws
 */
export async function envelopeOf(
  { body, file }: DeliveredMessage,
  whole = false,
): Promise<Envelope> {
  if (file && (file.isKey || whole)) return parseEnvelope(await file.load(), MAX_FILE_CHARACTERS);
  return parseEnvelope(body);
}
