import type { Media } from '@twilio/conversations';
import { expect, describe, test } from 'vitest';
import { conversationOfTwo, nextMessage } from './support/conversations.ts';

/** Every byte there is, so that nothing may take them for text. */
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

const FILES = [
  { contentType: 'image/png', filename: 'é "1".png', media: BYTES },
  { contentType: 'text/plain', filename: 'a.txt', media: Buffer.from('héllo') },
  { contentType: 'application/pdf', filename: 'b.pdf', media: BYTES.subarray(3, 7) },
];

async function download(url: string | null | undefined): Promise<Buffer> {
  return Buffer.from(await (await fetch(url ?? '')).arrayBuffer());
}

describe('a message of Conversations', () => {
  test('can have a subject, which is not a part of its text', async () => {
    const { world, ours, theirs } = await conversationOfTwo();
    const heard = nextMessage(theirs);
    await ours.sendMessage('text', { k: 1 }, { subject: 'S' });
    expect(await heard).toMatchObject({ body: 'text', subject: 'S', attributes: { k: 1 } });
    expect(world.emulator.inspect.messages('u')).toMatchObject([{ body: 'text', subject: 'S' }]);
    const second = nextMessage(theirs);
    await ours.sendMessage('none');
    expect((await second).subject).toBeNull();
  });

  test('that is prepared can have text, subject, attributes and several files', async () => {
    const { world, ours, theirs } = await conversationOfTwo();
    const heard = nextMessage(theirs);
    const builder = ours.prepareMessage().setBody('text').setSubject('S').setAttributes([1]);
    for (const file of FILES) builder.addMedia(file);
    expect(await builder.build().send()).toBe(0);

    const message = await heard;
    expect(message).toMatchObject({ body: 'text', subject: 'S', attributes: [1], type: 'media' });
    const media = message.attachedMedia ?? expect.fail();
    expect(
      media.map(({ contentType, filename, size, category }) => ({
        contentType,
        filename,
        size,
        category,
      })),
    ).toEqual(
      FILES.map(({ contentType, filename, media: { length } }) => ({
        ...{ contentType, filename, size: length, category: 'media' },
      })),
    );
    for (const [i, { media: bytes }] of FILES.entries()) {
      expect(await download(await media[i]?.getContentTemporaryUrl())).toEqual(Buffer.from(bytes));
    }
    expect(world.emulator.inspect.messages('u')[0]?.media).toHaveLength(3);
    const [again] = (await theirs.getMessages()).items;
    expect(again?.attachedMedia?.map(({ sid }) => sid)).toEqual(media.map(({ sid }) => sid));
  });

  test('has no text if it was sent without one', async () => {
    const { ours, theirs } = await conversationOfTwo();
    const heard = nextMessage(theirs);
    await ours.sendMessage({ contentType: 'image/png', filename: 'a.png', media: BYTES });
    const message = await heard;
    expect(message).toMatchObject({ body: null, type: 'media' });
    expect(message.attachedMedia?.[0]).toMatchObject({ filename: 'a.png', size: 256 });
  });

  test('can have the body and the history of an email', async () => {
    const { ours, theirs } = await conversationOfTwo();
    const heard = nextMessage(theirs);
    const email = (text: string) => ({ contentType: 'text/html', filename: 'x', media: text });
    await ours
      .prepareMessage()
      .setBody('short')
      .setEmailBody('text/html', email('<p>body</p>'))
      .setEmailHistory('text/html', email('<p>history</p>'))
      .buildAndSend();
    const message = await heard;
    expect(message.attachedMedia).toEqual([]);
    const [body, history] = [
      message.getEmailBody('text/html'),
      message.getEmailHistory('text/html'),
    ];
    expect([body?.category, history?.category]).toEqual(['body', 'history']);
    expect((await download(await body?.getContentTemporaryUrl())).toString()).toBe('<p>body</p>');
    expect(message.getMediaByCategories(['body', 'history'])).toHaveLength(2);
    expect(message.getEmailBody('text/plain')).toBeNull();
  });

  test('is refused with more files than the limit, and so is one type of email', async () => {
    const { ours } = await conversationOfTwo();
    expect(ours.limits).toMatchObject({ mediaAttachmentsCountLimit: 10 });
    const builder = ours.prepareMessage();
    for (let i = 0; i < 11; i++) builder.addMedia(FILES[0] ?? expect.fail());
    expect(() => builder.build()).toThrow('Too many media');
    const strange = { contentType: 'image/png', filename: 'x', media: 'x' };
    expect(() => ours.prepareMessage().setEmailBody('image/png', strange).build()).toThrow();
  });
});

describe('the addresses of files', () => {
  test('come together, by file, by sid and by message', async () => {
    const { bob, ours, theirs } = await conversationOfTwo();
    const heard = nextMessage(theirs);
    const builder = ours.prepareMessage();
    for (const file of FILES) builder.addMedia(file);
    await builder.buildAndSend();
    const message = await heard;
    const media: Media[] = message.attachedMedia ?? [];
    const sids = media.map(({ sid }) => sid);

    const answers = await Promise.all([
      bob.getTemporaryContentUrlsForMedia(media),
      bob.getTemporaryContentUrlsForMediaSids(sids),
      message.getTemporaryContentUrlsForMedia(media),
      message.getTemporaryContentUrlsForMediaSids(sids),
      message.getTemporaryContentUrlsForAttachedMedia(),
    ]);
    for (const answer of answers) {
      expect([...answer.keys()]).toEqual(sids);
      expect(await download(answer.get(sids[0] ?? ''))).toEqual(BYTES);
    }
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it has to work too
    const [, second] = await message.attachTemporaryUrlsFor(media);
    expect(await download(await second?.getContentTemporaryUrl())).toEqual(FILES[1]?.media);
  });

  test('are refused together if one of the files is lost', async () => {
    const { world, alice, ours } = await conversationOfTwo();
    for (let i = 0; i < 2; i++) await ours.sendMessage(FILES[0] ?? expect.fail());
    const sids = world.emulator.inspect.media().map(({ sid }) => sid);
    expect((await alice.getTemporaryContentUrlsForMediaSids(sids)).size).toBe(2);
    world.emulator.tamper.removeMedia(sids[0] ?? '');
    await expect(alice.getTemporaryContentUrlsForMediaSids(sids)).rejects.toThrow();
  });

  test('are not for one who was removed', async () => {
    const { world, bob, ours } = await conversationOfTwo();
    await ours.sendMessage(FILES[0] ?? expect.fail());
    const sids = world.emulator.inspect.media().map(({ sid }) => sid);
    expect((await bob.getTemporaryContentUrlsForMediaSids(sids)).size).toBe(1);
    await ours.removeParticipant('bob');
    await expect(bob.getTemporaryContentUrlsForMediaSids(sids)).rejects.toThrow();
  });

  test('are not waited for if they are canceled', async () => {
    const { world, alice, ours } = await conversationOfTwo();
    await ours.sendMessage(FILES[0] ?? expect.fail());
    const sids = world.emulator.inspect.media().map(({ sid }) => sid);
    const stop = world.emulator.tamper.onRequest(({ path }) =>
      path.endsWith('MediaSet') ? { when: 'before', then: 'silence' } : undefined,
    );
    const request = alice.getTemporaryContentUrlsForMediaSids(sids);
    const outcome = expect(request).rejects.toThrow();
    void request.cancel();
    await outcome;
    stop();
  });
});
