/** What an application does all day, with each SDK, and across both in one channel. */
import { next } from './next.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  arrival,
  bring,
  filesOf,
  meet,
  pages,
  tell,
  textOf,
  type AnyMessage,
  type Device,
  type Room,
} from './rooms.ts';

/** The SDKs. */
export type SdkName = 'twilio-chat' | 'Conversations';

/** Where scenarios take place: in Node, or in a browser. */
export interface Stage {
  /** Somebody new, with a wrapped client of this SDK. */
  device(sdk: SdkName, identity: string): Promise<Device>;
  /** All that Twilio, and the network on the way to it, saw so far. */
  seen(): Promise<string>;
  close(): Promise<void>;
}

const PAIRS: readonly (readonly [SdkName, SdkName])[] = [
  ['twilio-chat', 'twilio-chat'],
  ['Conversations', 'Conversations'],
  ['twilio-chat', 'Conversations'],
  ['Conversations', 'twilio-chat'],
];

const VERIFIED = { status: 'verified', anomalies: [] };

interface Updated {
  readonly message: AnyMessage;
  readonly updateReasons: readonly string[];
}

/** The scenarios, for each pair of SDKs. */
export function scenarios(open: () => Promise<Stage>): void {
  describe.each(PAIRS)('%s with %s', (aliceSdk, bobSdk) => {
    let stage: Stage;
    let alice: Device;
    let bob: Device;
    let carol: Device;
    let own: Room;
    let bobs: Room;

    beforeAll(async () => {
      stage = await open();
      [alice, bob, carol] = await Promise.all([
        stage.device(aliceSdk, 'alice'),
        stage.device(bobSdk, 'bob'),
        stage.device(bobSdk, 'carol'),
      ]);
      [own, bobs] = await meet(alice, bob);
    });

    afterAll(() => stage.close());

    test('a text arrives with its attributes, and nobody between reads it', async () => {
      const message = await tell(own, bobs, 'how is the kneecap', {
        temperament: ['good', 1, null],
      });
      expect(message.body).toBe('how is the kneecap');
      expect(message.attributes).toEqual({ temperament: ['good', 1, null] });
      expect(message.author).toBe('alice');
      expect(message.encryption).toMatchObject(VERIFIED);
      expect(await stage.seen()).not.toMatch(/kneecap|temperament/);
    });

    test.each<[string, null | number | boolean | string | number[]]>([
      ['null', null],
      ['a number', 7],
      ['false', false],
      ['a text', 'very urgent'],
      ['a list', [1, 2]],
    ])('attributes may be %s', async (_what, attributes) => {
      expect((await tell(own, bobs, 'x', attributes)).attributes).toEqual(attributes);
    });

    test('no text is an empty text', async () => {
      const arrived = arrival(bobs);
      await own.raw.sendMessage(null);
      expect((await arrived).body).toBe('');
    });

    test('a file arrives with its type, and Twilio sees neither type nor attributes', async () => {
      const arrived = arrival(bobs);
      const file = { contentType: 'text/x-report', media: 'the diagnosis' };
      await own.raw.sendMessage(file, { part: 'elbow-joint' });
      const message = await arrived;
      expect(message.encryption).toMatchObject(VERIFIED);
      expect(message.type).toBe('media');
      expect(message.attributes).toEqual({ part: 'elbow-joint' });
      const [theirs] = filesOf(message);
      expect([theirs?.contentType, theirs?.size]).toEqual(['text/x-report', 13]);
      expect(await textOf(theirs)).toBe('the diagnosis');
      expect(await stage.seen()).not.toMatch(/diagnosis|x-report|elbow-joint/);
    });

    test('an edit of text and of attributes keeps the other part', async () => {
      const theirs = await tell(own, bobs, 'helllo there', { temperament: 'good' });
      const mine = (await pages(own, 10)).at(-1);
      const edited = next<Updated>(bobs.raw, 'messageUpdated');
      await mine?.updateBody('hello there');
      expect((await edited).message).toBe(theirs);
      expect([theirs.body, theirs.attributes]).toEqual(['hello there', { temperament: 'good' }]);
      const again = next<Updated>(bobs.raw, 'messageUpdated');
      await mine?.updateAttributes({ temperament: 'better now' });
      await again;
      expect([theirs.body, theirs.attributes]).toEqual([
        'hello there',
        { temperament: 'better now' },
      ]);
      expect(theirs.encryption).toMatchObject({ ...VERIFIED, revision: 2 });
    });

    test('an edit of the attributes of a file keeps the file', async () => {
      const arrived = arrival(bobs);
      await own.raw.sendMessage({ contentType: 'text/plain', media: 'A' }, { a: 1 });
      const theirs = await arrived;
      const mine = (await pages(own, 10)).at(-1);
      await mine?.updateAttributes({ a: 2 });
      // Not by the next event: one of the message before may still be on its way.
      await expect.poll(() => theirs.attributes).toEqual({ a: 2 });
      expect(await textOf(filesOf(theirs)[0])).toBe('A');
    });

    test('a message that is removed is removed for all', async () => {
      const theirs = await tell(own, bobs, 'never mind');
      const removed = next<AnyMessage>(bobs.raw, 'messageRemoved');
      await (await pages(own, 10)).at(-1)?.remove();
      expect(await removed).toBe(theirs);
    });

    test('history is read page by page, the same message as the same object', async () => {
      const sent: AnyMessage[] = [];
      for (let index = 0; index < 7; index++) sent.push(await tell(own, bobs, `page ${index}`));
      const all = await pages(bobs, 3);
      expect(all.slice(-7)).toEqual(sent);
      expect(all.slice(-7).every((message, at) => message === sent[at])).toBe(true);
    });

    test('what is unread is counted', async () => {
      const first = await tell(own, bobs, 'one');
      await bobs.read(first.index);
      await tell(own, bobs, 'two');
      await tell(own, bobs, 'three');
      expect(await bobs.unread()).toBe(2);
      expect(await bobs.read(first.index + 1)).toBe(1);
    });

    test('who comes reads what is sent from then on, and who goes nothing more', async () => {
      const [room, theirs] = await meet(alice, bob);
      await tell(room, theirs, 'before');
      const carols = await bring(room, carol);
      await tell(room, carols, 'in between');
      const seen = await pages(carols, 10);
      expect(seen.map(({ encryption: { status } }) => status)).toEqual(['unavailable', 'verified']);
      expect(seen[0]?.encryption).toMatchObject({ code: 'SENT_BEFORE_JOIN' });
      await room.remove('carol');
      const after = await tell(room, theirs, 'after');
      expect(after.encryption).toMatchObject(VERIFIED);
      expect(await room.members()).toEqual(['alice', 'bob']);
    });

    test('typing is told', async () => {
      const typing = next<{ readonly identity: string | null }>(bobs.raw, 'typingStarted');
      await own.raw.typing();
      expect((await typing).identity).toBe('alice');
    });

    // Last: it looks at all that the others did.
    test('nothing of what was said was seen by Twilio or on the way to it', async () => {
      const seen = await stage.seen();
      expect(seen).toContain('e2e1.');
      expect(seen).not.toMatch(
        /kneecap|temperament|very urgent|diagnosis|x-report|elbow-joint|helllo there|hello there|better now|never mind|in between|text\/plain/,
      );
    });
  });
}
