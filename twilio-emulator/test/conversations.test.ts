import { expect, test } from 'vitest';
import { next } from './support/events.ts';
import { createWorld } from './support/world.ts';
import { connectRaw } from './support/wire.ts';

test('what the Conversations SDK says differently is understood too', async () => {
  const { connect, emulator, token } = await createWorld();
  const alice = await connect('alice');
  const { request } = await connectRaw(emulator, token('bob@x.y'));
  const joined = next(alice, 'channelJoined');
  const created = await request('POST', '/Client/v2/Conversations', {
    friendly_name: 'F',
    unique_name: 'u',
    access: 'private',
    attributes: '{}',
  });
  expect(created).toMatchObject({ status: 201, body: { type: 'private', unique_name: 'u' } });
  const { sid } = created.body as { sid: string };
  const conversation = `/Client/v2/Conversations/${sid}`;
  const participants = `${conversation}/Participants`;
  expect(
    await request('POST', participants, { identity: 'bob@x.y', attributes: '{"a":1}' }),
  ).toMatchObject({ status: 201, body: { identity: 'bob@x.y', attributes: '{"a":1}' } });
  await request('POST', participants, { identity: 'alice' });
  const channel = await joined;
  await channel.getMembers();

  const heard = next(channel, 'messageAdded');
  const message = { body: 'hi', attributes: '{}', subject: 'S', media_sids: [] };
  const sent = await request('POST', `${conversation}/Messages`, message);
  expect(sent).toMatchObject({ status: 201, body: { index: 0, subject: 'S' } });
  expect((await heard).body).toBe('hi');

  const own = '/Client/v2/MyConversations/u';
  expect(await request('GET', own)).toMatchObject({ body: { unread_messages_count: null } });
  const moved = next(channel, 'memberUpdated');
  expect(await request('POST', own, { last_read_message_index: 0 })).toMatchObject({
    body: { unread_messages_count: 0, last_read_message_index: 0 },
  });
  expect((await moved).member.lastConsumedMessageIndex).toBe(0);
  expect(await request('POST', own, { last_read_message_index: null })).toMatchObject({
    body: { unread_messages_count: 1, last_read_message_index: null },
  });
  expect(await request('POST', own, { notification_level: 'muted' })).toMatchObject({
    body: { notification_level: 'muted' },
  });

  for (const path of ['MessageRecipients', 'Messages/IM1/Receipts']) {
    expect((await request('GET', `${conversation}/${path}`)).status).toBe(200);
  }
  expect(await request('GET', '/Client/v2/ContentTemplates')).toMatchObject({ status: 200 });
  expect((await request('POST', participants, { messaging_binding: {} })).status).toBe(501);
  const { status } = await request('DELETE', `${participants}/${encodeURIComponent('bob@x.y')}`);
  expect(status).toBe(204);
  expect(emulator.inspect.channels()[0]?.members).toEqual(['alice']);
});
