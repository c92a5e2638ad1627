import { MemoryKeyStore } from 'twilio-chat-encryption';
import { messageIdOf } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkDeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import type { ReceivedMessage } from '../../src/client/judged.ts';
import type { OutgoingContent, Outlet } from '../../src/client/outlet.ts';
import type { OwnEdit } from '../../src/client/own-edits.ts';
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
  const name = { cardId: device.card().id, messageId, sequence: 1 };
  const edits: OutgoingContent[] = [];
  let latest: OwnEdit | null = null;
  let received = version(first, 0, device.card());

  function version(
    content: OutgoingContent,
    revision: number,
    by: Card,
    latestRevision = revision,
  ): ReceivedMessage {
    const sender = { identity: by.identity, cardId: by.id };
    const said = { sender, trust: 'pinned', sentAt: new Date(), revision, messageId } as const;
    return {
      encryption: { status: 'verified', ...said, anomalies: [] },
      content: contentOf(textOf(content)),
      hidden: false,
      editable: { name, latestRevision, text: textOf(content) },
    };
  }

  const editing = editor(() => received, {
    device: {
      ...device,
      async edit(_outlet, { prepare }) {
        const { content, revision, replace } = await prepare(latest);
        const text = textOf(content);
        edits.push(contentOf(text));
        latest = { revision, text };
        await replace(text);
      },
    },
    outlet: { outlet, inOrder: serial() },
    checkSender: () => undefined,
    open: (text) => Promise.resolve(contentOf(text)),
    limit: () => 32_768,
    replace: () => Promise.resolve(),
    clearAttributes: [],
  });

  function arrives(content: OutgoingContent, revision: number, by: Card): void {
    received = version(content, revision, by);
    editing.opened();
  }

  /** Twilio puts back the first version. */
  function isPutBack(latestRevision: number): void {
    received = version(first, 0, device.card(), latestRevision);
    editing.opened();
  }

  editing.opened();
  return { edit: editing.edit, edits, arrives, isPutBack };
}

// Stands for an envelope.
const textOf = (content: OutgoingContent): string => JSON.stringify(content);
const contentOf = (text: string) => JSON.parse(text) as Content;

test('attributes that were changed in place are an edit like any other to another device', async () => {
  const attributes = { mood: 'good' };
  const one = message({ body: 'helo', attributes });
  attributes.mood = 'better';
  await one.edit({ attributes });
  one.arrives({ body: 'helo', attributes }, 1, device.card());
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

describe("another device's edit with the number of one's own", () => {
  const theirs = { body: 'helo', attributes: { mood: 'better' } };

  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  test('that was there before is what the other device deals with', async () => {
    const one = message({ body: 'helo' });
    const editing = one.edit({ body: 'hello' });
    one.arrives(theirs, 1, otherDevice);
    await editing;
    one.arrives({ body: 'hello' }, 1, device.card());
    await vi.runAllTimersAsync();
    expect(one.edits).toHaveLength(1);
  });

  test("that is all that is heard of, one's own having been passed over, is built on", async () => {
    const one = message({ body: 'helo' });
    await one.edit({ body: 'hello' });
    one.arrives(theirs, 1, otherDevice);
    await vi.runAllTimersAsync();
    expect(one.edits.slice(1)).toEqual([{ body: 'hello', attributes: { mood: 'better' } }]);
  });

  test('is built on at most three times', async () => {
    const one = message({ body: 'helo' });
    await one.edit({ body: 'hello' });
    for (const revision of [1, 2, 3, 4, 5]) {
      one.arrives({ ...theirs, attributes: { revision } }, revision, otherDevice);
      await vi.runAllTimersAsync();
    }
    expect(one.edits).toHaveLength(4);
  });
});

test('what another device wrote and Twilio took back is not signed as the newest by an edit of the rest', async () => {
  const one = message({ body: 'I owe you 1000' });
  one.arrives({ body: 'I owe you 10' }, 1, otherDevice);
  one.isPutBack(1);
  await expect(one.edit({ attributes: { seen: true } })).rejects.toThrow(/put back to an older/);
  expect(one.edits).toEqual([]);
});

test('what this device wrote and Twilio took back is what its next edit builds on', async () => {
  const one = message({ body: 'I owe you 1000' });
  await one.edit({ body: 'I owe you 10' });
  one.isPutBack(1);
  await one.edit({ attributes: { seen: true } });
  expect(one.edits[1]).toEqual({ body: 'I owe you 10', attributes: { seen: true } });
});
