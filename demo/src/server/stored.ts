import express, { type RequestHandler } from 'express';
import type { Inspect, StoredMessage } from 'twilio-chat-emulator';

// How many bytes of a file are shown.
const START_LENGTH = 96;

/** Gives the identity of a session, or null when it is none. Rejects when nobody can tell. */
export type WhoIs = (authorization: string) => Promise<string | null>;

/**
 * `GET /demo/stored/:channelSid/:index`: what the emulated Twilio stores of a message, for members
 * of its channel. On real Twilio there is no such route.
 */
export function storedMessages(inspect: Inspect, whoIs: WhoIs): RequestHandler {
  const router = express.Router();
  router.get('/demo/stored/:channelSid/:index', async (req, res) => {
    res.set('Cache-Control', 'no-store');
    const identity = await whoIs(req.headers.authorization ?? '').catch(() => undefined);
    if (identity === undefined) {
      res.status(503).json({ code: 'UNAVAILABLE' });
      return;
    }
    if (identity === null) {
      res.status(401).json({ code: 'UNAUTHENTICATED' });
      return;
    }
    const { channelSid, index } = req.params;
    const channel = inspect.channels().find(({ sid }) => sid === channelSid);
    // One answer for "no such channel" and "not yours": outsiders learn nothing.
    const message = channel?.members.includes(identity)
      ? inspect.messages(channelSid).find((one) => String(one.index) === index)
      : undefined;
    if (!message) {
      res.status(404).json({ code: 'NOT_FOUND' });
      return;
    }
    const { body, attributes } = message;
    res.json({ body, attributes: parsed(attributes), file: fileOf(inspect, message) });
  });
  return router;
}

// What a malicious Twilio stores may be no JSON.
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

function fileOf(inspect: Inspect, { media: [described] }: StoredMessage): object | null {
  const file = inspect.media().find(({ sid }) => sid === described?.sid);
  if (!file) return null;
  const { filename, contentType, size, bytes } = file;
  const start = Buffer.from(bytes.subarray(0, START_LENGTH)).toString('base64url');
  return { name: filename, type: contentType, size, start };
}

/** Asks the token server at `url` whose session an Authorization header carries. */
export function askTokenServer(url: string): WhoIs {
  return async (authorization) => {
    const response = await fetch(new URL('/v1/twilio-token', url), { headers: { authorization } });
    if (response.status === 401) return null;
    const answer: unknown = await response.json();
    const isNamed = typeof answer === 'object' && answer !== null && 'identity' in answer;
    if (response.ok && isNamed && typeof answer.identity === 'string') return answer.identity;
    throw new Error(`the token server answered ${response.status}`);
  };
}
