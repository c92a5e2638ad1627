import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame } from '../src/framing.ts';
import { createWorld } from './support/world.ts';
import { connectRaw, openRaw } from './support/wire.ts';

describe('hostile input', () => {
  test.each([
    ['text', 'hello'],
    ['garbage', Buffer.from([1, 2, 3])],
    ['a frame without id', encodeFrame({ method: 'init' })],
  ])('%s is answered with a goodbye', async (_what, data) => {
    const { emulator } = await createWorld();
    const { socket, frame } = await openRaw(emulator);
    const goodbye = frame('close');
    socket.send(data);
    expect((await goodbye).header['status']).toMatchObject({ code: 400 });
    await once(socket, 'close');
  });

  test('too long frames end the connection, and only that', async () => {
    const { emulator, token } = await createWorld();
    const bystander = await connectRaw(emulator, token('bob'));
    const { socket } = await connectRaw(emulator, token('alice'));
    socket.send(Buffer.alloc(4 * 1024 * 1024 + 1));
    await once(socket, 'close');
    expect((await bystander.request('GET', '/Client/v2/Configuration')).status).toBe(200);
  });

  test('nothing can be asked before init', async () => {
    const { emulator } = await createWorld();
    const { ask } = await openRaw(emulator);
    const { header } = await ask({ method: 'message', http_request: { method: 'GET', path: '/' } });
    expect(header['status']).toMatchObject({ code: 401 });
  });

  test('unknown methods and paths get Twilio errors', async () => {
    const { emulator, token } = await createWorld();
    const { ask, request } = await connectRaw(emulator, token('alice'));
    expect((await ask({ method: 'dance' })).header['status']).toMatchObject({ code: 400 });
    expect((await ask({ method: 'message' })).header['http_status']).toMatchObject({ code: 400 });
    for (const path of ['', '/', '/Client/v2', '/Client/v2/Nothing', '/v3/Maps/', '/%E0%A4%A']) {
      expect(await request('GET', path)).toMatchObject({ status: 404, body: { code: 20404 } });
    }
    expect(await request('GET', '/v3/Documents/ET1')).toMatchObject({ body: { code: 54100 } });
    expect(await request('GET', '/v3/Lists/__proto__/Items')).toMatchObject({
      body: { code: 54150 },
    });
    expect(await request('GET', '/v3/Maps/bob.channels')).toMatchObject({ body: { code: 54200 } });
  });

  test('others cannot read what is not theirs', async () => {
    const { emulator, token } = await createWorld();
    const alice = await connectRaw(emulator, token('alice'));
    const eve = await connectRaw(emulator, token('eve'));
    const { body } = await alice.request('POST', '/Client/v2/Conversations', { unique_name: 'u' });
    const { sid } = body as { sid: string };
    for (const path of [
      '/v3/Maps/alice.channels',
      '/v3/Maps/alice.channels/Items',
      `/v3/Documents/${sid}.channel`,
      `/v3/Lists/${sid}.messages`,
      `/v3/Lists/${sid}.messages/Items`,
      `/v3/Maps/${sid}.roster/Items`,
    ]) {
      expect(await eve.request('GET', path)).toMatchObject({ status: 403, body: { code: 54007 } });
    }
    expect(await eve.request('GET', '/Client/v2/Conversations/u')).toMatchObject({ status: 403 });
    const failed = eve.frame('notification');
    await eve.request('POST', '/v4/Subscriptions', {
      action: 'establish',
      correlation_id: 1,
      requests: [{ object_sid: `${sid}.messages`, object_type: 'list', last_event_id: 0 }],
    });
    expect(JSON.parse((await failed).payload)).toMatchObject({
      event_type: 'subscription_failed',
      event: { error: { status: 403 } },
    });
  });

  test('no request whatever brings the emulator down', async () => {
    const { emulator, token } = await createWorld();
    const { request, ask } = await connectRaw(emulator, token('alice'));
    const created = await request('POST', '/Client/v2/Conversations', { unique_name: 'u' });
    expect(created.status).toBe(201);
    await request('POST', '/Client/v2/Conversations/u/Participants', { identity: 'alice' });
    const name = fc.constantFrom(
      ...['body', 'attributes', 'identity', 'unique_name', 'friendly_name', '__proto__'],
      ...[
        'media_sid',
        'media_sids',
        'last_read_message_index',
        'notification_level',
        'requests',
        'correlation_id',
        'action',
      ],
      ...['messaging_binding', 'content_sid', 'content_variables', 'subject'],
      ...['channel_type', 'message_types', 'data', 'binding_type', 'address'],
    );
    const path = fc.constantFrom(
      ...['/Conversations', '/Conversations/u', '/Conversations/u/Participants', '/Typing'],
      ...['/Conversations/u/Messages', '/Conversations/u/Invites', '/MyConversations/u'],
      ...['/Conversations/u/Participants/alice', '/MyConversations', '/Users', '/Users/alice'],
      ...['/../../v4/Subscriptions', '/Conversations/u/Messages/IM1'],
      ...['/registrations', '/registrations/BS1', '/ContentTemplates'],
      ...['/Conversations/u/MessageRecipients', '/Conversations/u/Messages/IM1/Receipts'],
    );
    const method = fc.constantFrom('GET', 'POST', 'DELETE');
    const value = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom('address', 'proxy_address', 'registration_id'), fc.string()),
      fc.constantFrom('fcm', 'apn', '{', '[]', '{"1":{}}'),
    );
    const body = fc.oneof(fc.jsonValue(), fc.dictionary(name, value));
    const params = fc.dictionary(fc.constantFrom('PageToken', 'PageSize', 'From'), fc.string());
    await fc.assert(
      fc.asyncProperty(method, path, body, params, async (verb, where, what, query) => {
        const root = where.startsWith('/registrations') ? '/v1' : '/Client/v2';
        const full = where.includes('..') ? '/v4/Subscriptions' : `${root}${where}`;
        if (verb === 'DELETE' && full.endsWith('/Conversations/u')) return;
        const { status } = await request(verb, full, what, query);
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 500 },
    );
    const { header } = await ask({
      method: 'message',
      http_request: { method: 'POST', path: '/' },
    });
    expect(header['http_status']).toMatchObject({ code: 404 });
  });

  test('no frame whatever brings the emulator down', async () => {
    const { emulator, token } = await createWorld();
    const bystander = await connectRaw(emulator, token('bob'));
    const methods = ['init', 'update', 'message', 'close', 'reply', 'telemetry.v1', 'x'];
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(...methods, token('alice')));
    const names = ['method', 'id', 'token', 'http_request', 'continuation_token', '__proto__'];
    const header = fc.dictionary(fc.constantFrom(...names), value);
    await fc.assert(
      fc.asyncProperty(fc.array(header, { maxLength: 5 }), fc.string(), async (headers, text) => {
        const { socket } = await openRaw(emulator);
        for (const head of headers) socket.send(encodeFrame(head, text));
        socket.close();
        await once(socket, 'close');
      }),
      { numRuns: 50 },
    );
    expect((await bystander.request('GET', '/Client/v2/Configuration')).status).toBe(200);
  });

  test('other upgrades and plain requests get 404 from a server of its own', async () => {
    const { emulator } = await createWorld();
    expect((await fetch(`${emulator.url}/v3/wsconnect`)).status).toBe(404);
    const upgrade = httpRequest(`${emulator.url}/other`, {
      headers: { Connection: 'Upgrade', Upgrade: 'websocket' },
    }).end();
    const [response] = (await once(upgrade, 'response')) as [{ statusCode: number }];
    expect(response.statusCode).toBe(404);
  });
});
