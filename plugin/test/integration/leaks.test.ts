/**
 * Nothing that is said reaches the network or Twilio in any form that could be read: all bytes that this
 * process wrote to sockets, the token server's among them, and all that Twilio holds, are searched.
 */
import { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Client as ConversationsClient } from '@twilio/conversations';
import type { Client as ChatClient } from 'twilio-chat';
import {
  chatDevice,
  conversationsDevice,
  filesOf,
  meet,
  pages,
  tell,
  textOf,
  type Device,
  type Room,
} from './rooms.ts';
import { seenBy } from './seen.ts';
import { startWorld, type Person, type World } from './world.ts';

const written: Buffer[] = [];
let world: World;

beforeAll(async () => {
  const write: unknown = Reflect.get(Socket.prototype, 'write');
  vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args) {
    written.push(Buffer.from(args[0]));
    return write instanceof Function && Boolean(Reflect.apply(write, this, args));
  });
  world = await startWorld();
});

afterAll(async () => {
  await world.close();
  vi.restoreAllMocks();
});

/** What was said: a word that nothing else has, with letters that each encoding writes differently. */
const PARTS = [
  'body',
  'edited',
  'name',
  'value',
  'reaction',
  'file',
  'filename',
  'type',
  'subject',
  'unsent',
] as const;
type Part = (typeof PARTS)[number];
const coreOf = (part: Part): string => `Quux${part}Zyzzyva`;
const said = (part: Part): string => `${coreOf(part)} é→`;

/** The ways in which a text may stand somewhere, as the bytes of each. */
function formsOf(text: string): Record<string, Buffer> {
  const utf8 = Buffer.from(text);
  const utf16 = Buffer.from(text, 'utf16le');
  const escaped = Array.from(text, (one) =>
    one < '\u0080' ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  // Of three letters each; what stands at the ends depends on what is beside it.
  const base64 = [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), utf8]).toString('base64');
    const inside = whole.slice(before === 0 ? 0 : 4, -4);
    const forUrls = inside.replaceAll('+', '-').replaceAll('/', '_');
    return [inside, forUrls].map(
      (one, at) => [`base64 ${before} ${at}`, Buffer.from(one)] as const,
    );
  });
  return {
    'UTF-8': utf8,
    'UTF-16LE': utf16,
    'UTF-16BE': Buffer.from(utf16).swap16(),
    hex: Buffer.from(utf8.toString('hex')),
    HEX: Buffer.from(utf8.toString('hex').toUpperCase()),
    percent: Buffer.from(encodeURIComponent(text)),
    'JSON escapes': Buffer.from(escaped.join('')),
    ...Object.fromEntries(base64),
  };
}

/** What of it is found in these bytes, and in which form. */
function found(bytes: Buffer, parts: readonly Part[] = PARTS): string[] {
  return parts.flatMap((part) =>
    [said(part), coreOf(part)].flatMap((text) =>
      Object.entries(formsOf(text)).flatMap(([form, needle]) =>
        bytes.includes(needle) ? [`${part} as ${form}`] : [],
      ),
    ),
  );
}

/** All that the network, Twilio and the token server saw. */
function seen(): Buffer {
  return Buffer.concat([
    ...written,
    Buffer.from(seenBy(world.emulator), 'latin1'),
    Buffer.from(seenBy(world.emulator)),
  ]);
}

type Sdk = 'twilio-chat' | 'Conversations';

async function clientOf(sdk: Sdk, person: Person, isWrapped: boolean): Promise<Device> {
  const { identity, raw, client, encryption } = person;
  if (sdk === 'twilio-chat') return chatDevice(identity, isWrapped ? client : raw);
  const bare = await world.conversations(person);
  return conversationsDevice(identity, isWrapped ? encryption.wrapClient(bare) : bare);
}

/** Says everything in every way that there is. */
async function sayAll(device: Device, other: Device): Promise<Room> {
  const [own, others] = await meet(device, other);
  await tell(own, others, said('body'), { [said('name')]: said('value') });
  const [mine] = await pages(own, 10);
  await mine?.updateBody(said('edited'));
  await mine?.updateAttributes({ reaction: said('reaction') });
  const contentType = `text/${coreOf('type')}`;
  const file = { contentType, filename: said('filename'), media: Buffer.from(said('file')) };
  await own.raw.sendMessage(file, { [said('name')]: said('value') });
  if (!('prepareMessage' in own.raw)) return own;
  await own.raw.sendMessage(said('body'), {}, { subject: said('subject') });
  await own.raw
    .prepareMessage()
    .setBody(said('body'))
    .setSubject(said('subject'))
    .setAttributes({ [said('name')]: said('value') })
    .addMedia(file)
    .addMedia(file)
    .buildAndSend();
  const unsent = own.raw.prepareMessage().build();
  unsent.text = said('unsent');
  unsent.attributes = { [said('name')]: said('value') };
  unsent.emailOptions = { subject: said('subject') };
  unsent.mediaContent = [['media', file]];
  await unsent.send();
  return own;
}

describe.each(['twilio-chat', 'Conversations'] as const)('with %s', (sdk) => {
  test('nothing of texts, edits, attributes, subjects, files and their names is seen', async () => {
    const [alice, bob] = await Promise.all([
      world.person(`alice ${sdk}`),
      world.person(`bob ${sdk}`),
    ]);
    const device = await clientOf(sdk, alice, true);
    const reader = await clientOf(sdk, bob, true);
    await register(device.client);
    await register(reader.client);
    const own = await sayAll(device, reader);
    const all = await pages(await reader.room(own.raw.sid), 30);
    expect(all[0]).toMatchObject({
      body: said('edited'),
      attributes: { reaction: said('reaction') },
    });
    expect(all.every(({ encryption }) => encryption.status === 'verified')).toBe(true);
    expect(await textOf(all.flatMap(filesOf)[0])).toBe(said('file'));
    expect(world.emulator.inspect.pushes().length).toBeGreaterThan(0);
    expect(found(seen())).toEqual([]);
  });
});

test('the search finds what the bare SDKs send', async () => {
  const [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
  for (const sdk of ['twilio-chat', 'Conversations'] as const) {
    await sayAll(await clientOf(sdk, alice, false), await clientOf(sdk, bob, false));
  }
  const all = found(seen());
  for (const part of PARTS) expect(all.join('\n'), part).toContain(`${part} as `);
});

test.each(Object.keys(formsOf(said('body'))))(
  'the search finds a text as %s, wherever it stands',
  (form) => {
    for (const before of [0, 1, 2, 3]) {
      const needle = formsOf(said('body'))[form] ?? Buffer.alloc(0);
      const bytes = Buffer.concat([Buffer.from('x'.repeat(before)), needle, Buffer.from('x')]);
      expect(found(bytes, ['body'])).toContain(`body as ${form}`);
    }
  },
);

test('the search finds base64 of something in which a text stands', () => {
  for (const before of [0, 1, 2, 3, 4]) {
    const inside = Buffer.concat([
      Buffer.alloc(before, 7),
      Buffer.from(said('body')),
      Buffer.alloc(3),
    ]);
    for (const alphabet of ['base64', 'base64url'] as const) {
      expect(found(Buffer.from(inside.toString(alphabet)), ['body']).join()).toContain('base64');
    }
  }
});

/** Twilio renders push texts of what it has: they are searched, too. */
async function register(client: ChatClient | ConversationsClient): Promise<void> {
  await client.setPushRegistrationId('fcm', `device of ${client.user.identity}`);
}
