/**
 * A process that is one of several of a device. Its first message says where and as whom; it answers
 * when it is signed in. Then it does what it is told, one call a message, and answers each.
 */
import { FileKeyStore } from 'twilio-chat-encryption/node';
import { openTab, type Shown, type Tab, type TabOptions } from './tab.ts';

/** The first message. */
export interface Start {
  readonly folder: string;
  readonly options: TabOptions;
}

/** What the process is told to do. */
export interface Call {
  readonly id: number;
  readonly method: keyof Tab;
  readonly channelSid: string;
  readonly bodies: readonly string[];
  readonly change: Parameters<Tab['edit']>[1];
}

/** What it answers: the result, or why there is none. */
export interface Answer {
  readonly id: number;
  readonly texts?: readonly string[];
  readonly shown?: readonly Shown[];
  readonly error?: string;
}

async function run(
  tab: Tab,
  { method, channelSid, bodies, change }: Call,
): Promise<Omit<Answer, 'id'>> {
  switch (method) {
    case 'cardId':
      return { texts: [await tab.cardId()] };
    case 'join':
      await tab.join(channelSid);
      return {};
    case 'send':
      return { texts: await tab.send(channelSid, bodies) };
    case 'edit':
      await tab.edit(channelSid, change);
      return {};
    case 'told':
      return { shown: await tab.told(channelSid) };
    case 'history':
      return { shown: await tab.history(channelSid) };
  }
}

function answer(answered: Answer): void {
  process.send?.(answered);
}

process.once('message', ({ folder, options }: Start) => {
  openTab(options, new FileKeyStore(folder)).then(
    (tab) => {
      process.on('message', (call: Call) => {
        run(tab, call).then(
          (result) => {
            answer({ id: call.id, ...result });
          },
          (error: unknown) => {
            answer({ id: call.id, error: String(error) });
          },
        );
      });
      answer({ id: 0 });
    },
    (error: unknown) => {
      answer({ id: 0, error: String(error) });
    },
  );
});
