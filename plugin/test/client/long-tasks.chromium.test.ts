/** Nothing that a device does keeps the page from drawing, also in a channel of a thousand. */
import { IndexedDbKeyStore, MemoryKeyStore, type Directory } from 'twilio-chat-encryption';
import {
  approveCard,
  createCard,
  curves,
  exportCard,
  parseIdentity,
  verifyLookup,
} from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkDeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import { KeptLog } from '../protocol/log/kept-log.ts';
import { APP_KEY, random } from '../protocol/people.ts';
import { Channel } from './channel.ts';
import { crowdDirectory, type CrowdDirectory } from './crowd-directory.ts';

const MEMBERS = 1000;
const SENDERS = 10;
const PAGE = 100;
const CARDS = 300;
const ATTEMPTS = 4;
// What the browser calls a long task: https://w3c.github.io/longtasks/
const LONG_MILLISECONDS = 50;

let crowd: CrowdDirectory;
let steady: Worker;

beforeAll(async () => {
  steady = new Worker(new URL('steady-worker.ts', import.meta.url), { type: 'module' });
  crowd = await crowdDirectory(MEMBERS);
}, 120_000);

afterAll(() => {
  crowd.close();
  steady.terminate();
});

let devices = 0;

async function deviceOf(identity: string, directory: Directory, isKept: boolean): Promise<Device> {
  devices += 1;
  const keyStore = isKept ? new IndexedDbKeyStore(`long tasks ${devices}`) : new MemoryKeyStore();
  const options = { identity, ...crowd.pins, server: directory, keyStore, password: 'password' };
  return openDevice(await checkDeviceOptions(options));
}

/** How many times longer than at best the machine took for the same work since this was last asked. */
function slowness(): Promise<number> {
  return new Promise((resolve) => {
    const tell = ({ data }: MessageEvent<number>): void => {
      resolve(data);
    };
    steady.addEventListener('message', tell, { once: true });
    steady.postMessage(null);
  });
}

/** Milliseconds of the longest task of the page while this runs, as if nothing else ran on the machine. */
async function longestTask(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  const note = (entries: PerformanceEntryList): void => {
    for (const { duration } of entries) longest = Math.max(longest, duration);
  };
  const observer = new PerformanceObserver((list) => {
    note(list.getEntries());
  });
  await slowness();
  observer.observe({ type: 'longtask' });
  await work();
  // A task that was long is told of in one behind it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  note(observer.takeRecords());
  observer.disconnect();
  return longest / (await slowness());
}

/** Of the best of some attempts: what else the machine does meanwhile does not decide. */
async function expectShortTasks(attempt: () => Promise<() => Promise<unknown>>): Promise<void> {
  const all: number[] = [];
  do {
    all.push(await longestTask(await attempt()));
  } while (Math.min(...all) > LONG_MILLISECONDS && all.length < ATTEMPTS);
  expect(Math.min(...all), String(all)).toBeLessThanOrEqual(LONG_MILLISECONDS);
}

test('unlocking a device', async () => {
  await expectShortTasks(() => Promise.resolve(() => deviceOf('opener', crowd.directory, true)));
});

test('the first message to a thousand whom it never saw, and the next', async () => {
  const members = Array.from({ length: MEMBERS }, (_, at) => `member ${at}`);
  await expectShortTasks(async () => {
    const device = await deviceOf('writer', crowd.directory, true);
    const channel = new Channel('writer', ...members);
    return async () => {
      await channel.send(device, 'hello');
      await channel.send(device, 'hello again');
    };
  });
}, 120_000);

test('a page of a hundred messages from ten people', async () => {
  const senders = Array.from({ length: SENDERS }, (_, at) => `sender ${at}`);
  const room = new Channel('reader', ...senders);
  const reader = await deviceOf('reader', crowd.directory, true);
  const writers: Device[] = [];
  for (const sender of senders) writers.push(await deviceOf(sender, crowd.directory, false));
  // As many pages as there may be attempts: of the same page, nothing is new the second time.
  const page = async (): Promise<readonly number[]> => {
    const indexes: number[] = [];
    for (let at = 0; at < PAGE; at += 1) {
      const writer = writers[at % SENDERS];
      if (writer) indexes.push(await room.send(writer, 'x'.repeat(200)));
    }
    return indexes;
  };
  await expectShortTasks(async () => {
    const indexes = await page();
    return async () => {
      const received = await room.readAll(reader, indexes);
      expect(new Set(received.map(({ encryption }) => encryption.status))).toEqual(
        new Set(['verified']),
      );
    };
  });
}, 120_000);

test('reading the history of somebody who had hundreds of devices', async () => {
  const backEnd = await curves();
  const log = new KeptLog(await backEnd.importSigningKey(random(32)));
  const identity = parseIdentity('many');
  for (let count = 0; count < CARDS; count += 1) {
    const signingKey = await backEnd.importSigningKey(random(32));
    const encryptionKey = await backEnd.importAgreementKey(random(32));
    const card = await createCard({ identity, createdAt: count }, signingKey, encryptionKey);
    const content = exportCard(await approveCard(card, APP_KEY, count));
    await log.append({ operation: 'approve', time: count, identity, cardId: card.id, content });
  }
  const lookup = await log.lookup([identity]);
  const context = {
    logKey: await backEnd.importVerifyingKey(log.key.publicKey),
    appKeys: [await backEnd.importVerifyingKey(APP_KEY.publicKey)],
    head: await log.head(CARDS),
    identities: [identity],
  };
  await expectShortTasks(() =>
    Promise.resolve(async () => {
      const history = (await verifyLookup(lookup, context)).get(identity);
      expect(history?.cards).toHaveLength(CARDS);
    }),
  );
}, 120_000);
