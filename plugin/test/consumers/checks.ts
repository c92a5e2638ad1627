/** What holds of the application, whatever it was built with. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStage, type Stage } from './browser.ts';
import type { Build } from './bundlers.ts';
import { chunksOf, type Chunk } from './chunks.ts';
import type { Visit } from './site.ts';

const hasXWing = ({ modules }: Chunk): boolean =>
  modules.some((module) => module.includes('@noble/post-quantum/'));

export function checkBuild(name: string, make: () => Promise<Build>): void {
  describe(`built with ${name}`, () => {
    let build: Build;
    let chunks: readonly Chunk[];

    beforeAll(async () => {
      build = await make();
      chunks = await chunksOf(build.folder);
    }, 180_000);

    test('gives no warning', () => {
      expect(build.complaints).toEqual([]);
    });

    test('has nothing of Node in it', () => {
      const modules = chunks.flatMap((chunk) => chunk.modules);
      // The last is what Vite puts where a module of Node would be.
      const ofNode = /file-(key-store|lock)|fs-native|browser-external/;
      expect(modules.filter((one) => ofNode.test(one))).toEqual([]);
      for (const { path, code } of chunks) {
        expect(code.match(/(from|import|require)\b[\s(]*["'`]node:\w+/g), path).toBeNull();
      }
    });

    test('has the SDK that the application uses, and not the other', () => {
      const modules = chunks.flatMap((chunk) => chunk.modules).join('\n');
      expect(modules).toContain('/twilio-chat/');
      expect(modules).toContain('/twilio-chat-encryption/');
      expect(modules).not.toContain('@twilio/conversations/');
    });

    test('has X-Wing in chunks of its own', () => {
      const found = chunks.filter(hasXWing);
      expect(found).not.toEqual([]);
      const others = found.flatMap(({ modules }) =>
        modules.filter((one) => !one.includes('@noble/')),
      );
      expect(others).toEqual([]);
    });

    describe('in Chromium', () => {
      let stage: Stage;

      beforeAll(async () => {
        stage = await openStage();
      });

      afterAll(() => stage.close());

      /** Opens the chat as somebody new. */
      async function enter(identity: string, postQuantum: boolean): Promise<Visit> {
        const { world } = stage;
        const session = await world.signUp(identity);
        const visited = await stage.visit(build.folder);
        await visited.page.waitForFunction(() => 'openChat' in window);
        const settings = {
          identity,
          session,
          appKey: world.appKey,
          logKey: world.logKey,
          postQuantum,
        };
        await visited.page.evaluate((all) => window.openChat(all), settings);
        return visited;
      }

      function xWingIn({ loaded }: Visit): readonly string[] {
        const paths = chunks.filter(hasXWing).map(({ path }) => path);
        return paths.filter((path) => loaded.includes(path));
      }

      test('sends and reads, and does not load X-Wing for it', async () => {
        const { bob, world } = stage;
        const channel = await bob.client.createChannel({ isPrivate: true });
        await channel.join();
        const alice = await enter('alice', false);
        await channel.add('alice');
        await channel.sendMessage('hello alice');
        const read = (): Promise<readonly string[]> =>
          alice.page.evaluate((sid) => window.chat.read(sid), channel.sid);
        await expect.poll(read).toEqual(['bob: hello alice']);
        await alice.page.evaluate((sid) => window.chat.send(sid, 'hello bob'), channel.sid);
        const { items } = await channel.getMessages();
        const { body, encryption } = items.at(-1) ?? {};
        expect({ body, encryption }).toMatchObject({
          body: 'hello bob',
          encryption: { status: 'verified', sender: { identity: 'alice' } },
        });
        expect(world.emulator.inspect.dump()).not.toContain('hello bob');
        expect(xWingIn(alice)).toEqual([]);
        expect(alice.complaints).toEqual([]);
      });

      test('loads X-Wing when it is opened with postQuantum', async () => {
        const carol = await enter('carol', true);
        expect(xWingIn(carol)).not.toEqual([]);
        expect(carol.complaints).toEqual([]);
      });
    });
  });
}
