/** An application with one of the SDKs compiles, also where its compiler checks libraries. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, expect, test } from 'vitest';
import { problemsIn } from './compile.ts';
import { install, type Consumer } from './consumer.ts';

const consumers: Consumer[] = [];

afterAll(async () => {
  for (const consumer of consumers) await consumer.remove();
});

const application = (sdk: string, room: string): string => `
import type { Client, ${room}, Message } from '${sdk}';
import { Encryption, type MessageEncryption } from 'twilio-chat-encryption';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export async function start(bareClient: Client, bareRoom: ${room}): Promise<string> {
  const encryption = await Encryption.open({
    identity: 'alice',
    server: 'https://chat.example',
    authorize: () => Promise.resolve('session'),
    appKey: 'key',
    logKey: 'key',
    password: 'password',
  });
  // @ts-expect-error -- nothing of Twilio
  encryption.wrapClient({});
  const client = encryption.wrapClient(bareClient);
  const room = encryption.wrapChannel(bareRoom);
  const kept: [Same<typeof client, Client>, Same<typeof room, ${room}>] = [true, true];
  const typed: Same<Message['encryption'], MessageEncryption> = true;
  const { items } = await room.getMessages();
  return [kept, typed, ...items.map(describe)].join();
}

function describe({ body, encryption }: Message): string {
  if (encryption.status !== 'verified') return encryption.code;
  // @ts-expect-error -- whose it is, is known by its type
  const wrong: number = encryption.sender.identity;
  return \`\${wrong}: \${body}\`;
}

// @ts-expect-error -- options are typed
void Encryption.open({ identity: 1 });
`;

const RESOLUTIONS = {
  nodenext: {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  },
  bundler: {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  },
};

test.each([
  ['twilio-chat', 'Channel', 'nodenext'],
  ['twilio-chat', 'Channel', 'bundler'],
  ['@twilio/conversations', 'Conversation', 'nodenext'],
  ['@twilio/conversations', 'Conversation', 'bundler'],
] as const)('with %s alone, as %s, resolved as of %s', async (sdk, room, resolution) => {
  const consumer = await install([sdk]);
  consumers.push(consumer);
  const file = join(consumer.folder, 'application.ts');
  await writeFile(file, application(sdk, room));
  const problems = problemsIn([file], {
    ...RESOLUTIONS[resolution],
    skipLibCheck: false,
    // The compiler's own libraries are no business of ours.
    skipDefaultLibCheck: true,
  });
  expect(problems).toEqual([]);
});
