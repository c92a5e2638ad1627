import { expect, describe, test, vi } from 'vitest';
import type { Conversation, Message, Participant } from '@twilio/conversations';
import { conversationOfTwo, nextMessage } from './support/conversations.ts';

function nextParticipant(conversation: Conversation): Promise<Participant> {
  return new Promise((resolve) => conversation.once('participantJoined', resolve));
}

/** The next change of a message, for one of the reasons given. */
function nextChange(message: Message, reason: string): Promise<Message> {
  return new Promise((resolve) => {
    message.on('updated', ({ updateReasons }) => {
      if (updateReasons.some((one) => one === reason)) resolve(message);
    });
  });
}

describe('participants outside of the chat', () => {
  test.for([
    ['+15550001', 'sms', {}],
    ['whatsapp:+15550001', 'whatsapp', {}],
    ['c@example.com', 'email', { email: { name: 'Carol', address: 'c@example.com', level: 'to' } }],
  ] as const)('are added by the address %s', async ([address, type, bindings]) => {
    const { world, ours, theirs } = await conversationOfTwo();
    const seen = nextParticipant(theirs);
    await ours.addNonChatParticipant('+15559999', address, { vip: true }, bindings);
    const participant = await seen;
    expect(participant).toMatchObject({
      ...{ type, bindings, identity: null, attributes: { vip: true } },
    });
    expect(await theirs.getParticipantsCount()).toBe(3);
    await expect(ours.addNonChatParticipant('+15559999', address)).rejects.toMatchObject({
      body: { code: 50416 },
    });

    const heard = nextMessage(theirs);
    world.emulator.operate.receive('u', address, { body: 'from outside' });
    expect(await heard).toMatchObject({ author: address, participantSid: participant.sid });
    expect(await (await heard).getParticipant()).toBe(participant);

    const changed = new Promise((resolve) => participant.once('updated', resolve));
    await (await ours.getParticipantBySid(participant.sid))?.updateAttributes({ vip: false });
    await changed;
    expect(participant.attributes).toEqual({ vip: false });
    const left = new Promise((resolve) => theirs.once('participantLeft', resolve));
    await ours.removeParticipant(participant.sid);
    expect(await left).toBe(participant);
  });

  test('are seen by twilio-chat too', async () => {
    const { world, ours } = await conversationOfTwo();
    await ours.addNonChatParticipant('+15559999', '+15550001');
    await ours.add('carol');
    const carol = await world.connect('carol');
    const channel = await carol.getChannelByUniqueName('u');
    const members = await channel.getMembers();
    const types = members.map(({ type }) => type);
    expect(types.toSorted()).toEqual(['chat', 'chat', 'chat', 'sms']);
  });

  test('get every message, and receipts tell how far it has come', async () => {
    const { world, ours, theirs } = await conversationOfTwo();
    await ours.addNonChatParticipant('+15559999', '+15550001');
    await ours.addNonChatParticipant(
      'me@x.y',
      'c@x.y',
      {},
      { email: { name: 'C', address: 'c@x.y', level: 'cc' } },
    );
    const heard = nextMessage(theirs);
    await ours.sendMessage('to all');
    const message = await heard;
    expect(message.aggregatedDeliveryReceipt).toMatchObject({
      total: 2,
      sent: 'all',
      read: 'none',
    });
    const read = nextChange(message, 'deliveryReceipt');
    world.emulator.operate.reportDelivery('u', 0, 'read');
    expect((await read).aggregatedDeliveryReceipt).toMatchObject({ delivered: 'all', read: 'all' });
    const receipts = await message.getDetailedDeliveryReceipts();
    expect(receipts.map(({ status }) => status)).toEqual(['read', 'read']);
    expect(receipts.map(({ messageSid }) => messageSid)).toEqual([message.sid, message.sid]);

    const byEmail = { type: 'email', name: 'C', address: 'c@x.y', level: 'cc' };
    expect(await message.getMessageRecipients()).toMatchObject([byEmail]);
    expect((await theirs.getMessageRecipients()).items).toMatchObject([byEmail]);
  });

  test('leave no trace on messages sent before they came', async () => {
    const { ours, theirs } = await conversationOfTwo();
    const heard = nextMessage(theirs);
    await ours.sendMessage('early');
    const message = await heard;
    expect(message.aggregatedDeliveryReceipt).toBeNull();
    expect(await message.getDetailedDeliveryReceipts()).toEqual([]);
    expect(await message.getMessageRecipients()).toEqual([]);
    expect(await message.getChannelMetadata()).toBeNull();
  });

  test('send more than words', async () => {
    const { world, ours, theirs } = await conversationOfTwo();
    await ours.addNonChatParticipant('whatsapp:+15559999', 'whatsapp:+1');
    const heard = nextMessage(theirs);
    const metadata = { type: 'whatsapp', data: { quoted: 'x' } };
    world.emulator.operate.receive('u', 'whatsapp:+1', { body: 'reply', metadata });
    expect(await (await heard).getChannelMetadata()).toMatchObject(metadata);
  });
});

describe('content templates', () => {
  test('are listed, and the service fills them in', async () => {
    const { world, alice, ours, theirs } = await conversationOfTwo();
    const { sid } = world.emulator.operate.addTemplate({
      friendlyName: 'greeting',
      variables: { 1: 'you', 2: 'there' },
      body: 'Hello {{1}}, {{2}}!',
    });
    const [template] = await alice.getContentTemplates();
    expect(template).toMatchObject({ sid, friendlyName: 'greeting' });
    const [first] = template?.variables ?? [];
    expect(first).toMatchObject({ name: '1', value: 'you' });

    const heard = nextMessage(theirs);
    const variables = first === undefined ? [] : [first.copyWithValue('Bob')];
    await ours.prepareMessage().setContentTemplate(sid, variables).buildAndSend();
    expect(await heard).toMatchObject({ body: 'Hello Bob, there!', contentSid: sid });
    expect((await heard).getMediaByCategories(['body'])).toHaveLength(1);

    const other = nextMessage(theirs);
    await ours.sendMessage('plain');
    expect(await (await other).getContentData()).toBeNull();
    const unknown = ours.prepareMessage().setContentTemplate('HX0').buildAndSend();
    await expect(unknown).rejects.toMatchObject({ status: 404 });
  });
});

test('attributes of participants can be given when they are added, and be changed', async () => {
  const { ours, theirs, world } = await conversationOfTwo();
  const bob = await ours.getParticipantByIdentity('bob');
  expect(bob?.attributes).toEqual({ seat: 1 });
  const self = await theirs.getParticipantByIdentity('bob');
  await self?.updateAttributes(['any', null]);
  await vi.waitFor(() => {
    expect(bob?.attributes).toEqual(['any', null]);
  });
  const alice = await theirs.getParticipantByIdentity('alice');
  await expect(alice?.updateAttributes({})).rejects.toMatchObject({ status: 403 });
  await expect(self?.updateAttributes('x'.repeat(4095))).rejects.toMatchObject({ status: 400 });
  expect(world.emulator.inspect.channels()[0]?.members).toEqual(['alice', 'bob']);
});
