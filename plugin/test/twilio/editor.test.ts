import { MemoryKeyStore } from 'twilio-chat-encryption';
import { messageIdOf } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { checkDeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import type { ReceivedMessage } from '../../src/client/judged.ts';
import type { OutgoingContent, Outlet } from '../../src/client/outlet.ts';
import type { Card } from '../../src/protocol/card.ts';
import type { Content } from '../../src/protocol/content.ts';
import { editor } from '../../src/twilio/core/editor.ts';
import { serial } from '../../src/twilio/core/serial.ts';
import { CHANNEL, person, random } from '../protocol/people.ts';
import { LoggedDirectory, PINS } from '../client/logged-directory.ts';

const directory = new LoggedDirectory();

let device: Device;
let otherDevice: Card;

beforeAll(async () => {
  device = await openDevice(
    await checkDeviceOptions({
      identity: 'alice',
      password: 'password',
      server: directory,
      ...PINS,
      keyStore: new MemoryKeyStore(),
    }),
  );
  otherDevice = (await person('alice')).card;
});

afterAll(() => {
  device.close();
});

const never = () => Promise.reject(new Error('not asked for'));
const outlet: Outlet = {
  channelSid: CHANNEL,
  limit: 32_768,
  members: never,
  post: never,
  find: never,
};

/** A message of Alice, and what is posted in its place. */
function message(first: Content) {
  const messageId = messageIdOf(random(16));
  const edits: OutgoingContent[] = [];
  let received = version(first, 0, device.card());

  function version(content: Content, revision: number, by: Card): ReceivedMessage {
    const sender = { identity: by.identity, cardId: by.id };
    const said = { sender, trust: 'pinned', sentAt: new Date(), revision, messageId } as const;
    return {
      encryption: { status: 'verified', ...said, anomalies: [] },
      content,
      hidden: false,
      editable: {
        name: { cardId: device.card().id, messageId, sequence: 1 },
        latestRevision: revision,
      },
    };
  }

  const editing = editor(() => received, {
    device: {
      ...device,
      edit(_outlet, _target, content) {
        edits.push(structuredClone(content));
        return Promise.resolve('e2e1.');
      },
    },
    outlet: { outlet, inOrder: serial() },
    checkSender: () => undefined,
    limit: () => 32_768,
    replace: () => Promise.resolve(),
    clearAttributes: [],
  });
  editing.opened();
  return {
    edit: editing.edit,
    edits,
    arrives(content: Content, revision: number, by: Card) {
      received = version(content, revision, by);
      editing.opened();
    },
  };
}

test('attributes that were changed in place are an edit like any other to another device', async () => {
  const attributes = { mood: 'good' };
  const one = message({ body: 'helo', attributes });
  attributes.mood = 'better';
  await one.edit({ attributes });
  one.arrives({ body: 'hello', attributes: { mood: 'good' } }, 1, otherDevice);
  await vi.waitFor(() => {
    expect(one.edits).toHaveLength(2);
  });
  expect(one.edits[1]).toEqual({ body: 'hello', attributes: { mood: 'better' } });
});

test('what an application does to attributes after an edit is no part of the next one', async () => {
  const attributes = { mood: 'good' };
  const one = message({ body: 'helo' });
  await one.edit({ attributes });
  attributes.mood = 'a draft';
  await one.edit({ body: 'hello' });
  expect(one.edits).toEqual([
    { body: 'helo', attributes: { mood: 'good' } },
    { body: 'hello', attributes: { mood: 'good' } },
  ]);
});
