/** The page's session: it ends, and is renewed without asking for the password again. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openAccess } from '../src/page/session/access.ts';

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
    return Response.json({ token: `twilio-${sessions}`, cards: { Bob: ['card'], Carol: [] } });
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
    const withCard = await access.withCard(['Bob', 'Carol', '__proto__', 'constructor']);
    expect([...withCard]).toEqual(['Bob']);
    expect((await access.withCard([])).size).toBe(0);
  });
});
