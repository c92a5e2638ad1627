/** The page's session: it ends, and is renewed without asking for the password again. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  base64url,
  encodeEntry,
  parseCardId,
  type LogEntry,
} from 'twilio-chat-encryption/protocol';
import { openAccess } from '../src/page/session/access.ts';

const entry = (operation: LogEntry['operation'], card: string): object => {
  const [identityHash, detail] = [new Uint8Array(32), new Uint8Array(32)];
  const cardId = parseCardId(card.repeat(64));
  const bytes = encodeEntry({ operation, time: 1, identityHash, cardId, detail });
  return { entry: base64url.encode(bytes), content: '' };
};

/** What the log has of Bob, of Carol who has nothing, of one whose card was revoked, and of another. */
const LOOKUP = {
  lastLeaf: null,
  inclusion: [],
  found: [
    [entry('approve', 'b'), entry('approve', 'c'), entry('revoke', 'b')],
    [],
    [entry('approve', 'd'), entry('revoke', 'd')],
    [entry('approve', 'e')],
  ].map((entries) => ({ entries, siblings: [], other: null })),
};

/** A token server that knows one session at a time. */
function stubServer(): { readonly calls: readonly string[]; expire: () => void } {
  const calls: string[] = [];
  let sessions = 0;
  let valid = '';
  const answer = (path: string, session: string | null): Response => {
    if (path === '/v1/sessions') {
      sessions += 1;
      valid = `session-${sessions}`;
      return Response.json({ token: valid });
    }
    if (session !== `Bearer ${valid}`) {
      return Response.json({ code: 'SESSION_EXPIRED', detail: 'over' }, { status: 401 });
    }
    return Response.json({ token: `twilio-${sessions}`, lookup: LOOKUP });
  };
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    calls.push(path);
    return Promise.resolve(answer(path, new Headers(init.headers).get('authorization')));
  });
  return { calls, expire: () => (valid = '') };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

const CREDENTIALS = { identity: 'Alice', authSecret: 'secret' };

describe('access', () => {
  test('signs in again when the session has ended, and repeats what was asked', async () => {
    const server = stubServer();
    const access = await openAccess(CREDENTIALS);
    expect(await access.twilioToken()).toBe('twilio-1');
    server.expire();
    expect(await access.twilioToken()).toBe('twilio-2');
    expect(server.calls).toEqual([
      '/v1/sessions',
      '/v1/twilio-token',
      '/v1/twilio-token',
      '/v1/sessions',
      '/v1/twilio-token',
    ]);
  });

  test('gives the plugin another session when it asks again', async () => {
    stubServer();
    const access = await openAccess(CREDENTIALS);
    expect(await access.authorize()).toBe('session-1');
    expect(await access.authorize()).toBe('session-2');
  });

  test('tells who has a card, whatever their names are', async () => {
    stubServer();
    const access = await openAccess(CREDENTIALS);
    const asked = ['Bob', ' no name ', 'Bob', 'Carol', 'Dave', '__proto__', 'constructor'];
    expect([...(await access.withCard(asked))]).toEqual(['Bob', '__proto__']);
    expect((await access.withCard([])).size).toBe(0);
  });
});
