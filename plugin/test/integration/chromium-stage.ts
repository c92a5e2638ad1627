/** A stage in a real Chromium: the SDKs' browser builds, IndexedDB and WebCrypto. */
import { Client as ConversationsClient } from '@twilio/conversations';
import { Client as ChatClient } from 'twilio-chat';
import { Encryption, IndexedDbKeyStore } from 'twilio-chat-encryption';
import { commands } from 'vitest/browser';
import { signUp, twilioToken } from './accounts.ts';
import { chatDevice, conversationsDevice } from './rooms.ts';
import type { Stage } from './scenarios.ts';

/** Opens it: servers in a process of their own, people in this page. */
export async function chromiumStage(): Promise<Stage> {
  const { server, appKey, logKey, clientOptions, seen } = await commands.serve();
  return {
    async device(sdk, identity) {
      const session = await signUp(server, identity, 'A'.repeat(43));
      const encryption = await Encryption.open({
        identity,
        server,
        authorize: () => Promise.resolve(session),
        appKey,
        logKey,
        keyStore: new IndexedDbKeyStore(`${server} ${identity}`),
        password: `password of ${identity}`,
      });
      const accessToken = await twilioToken(server, session);
      if (sdk === 'twilio-chat') {
        const client = encryption.wrapClient(new ChatClient(accessToken, clientOptions));
        await ready((done) => client.onWithReplay('stateChanged', done));
        return chatDevice(identity, client);
      }
      const client = encryption.wrapClient(new ConversationsClient(accessToken, clientOptions));
      await ready((done) => client.onWithReplay('initialized', done));
      return conversationsDevice(identity, client);
    },
    seen: async () => (await fetch(seen)).text(),
    close: () => commands.leave(server),
  };
}

/** Waits for what calls `done`. */
function ready(when: (done: () => void) => unknown): Promise<void> {
  return new Promise((resolve) => {
    when(resolve);
  });
}
