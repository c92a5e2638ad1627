import express, { type RequestHandler } from 'express';
import type { Inspect } from 'twilio-chat-emulator';

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
    res.json({ body: message.body });
  });
  return router;
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
