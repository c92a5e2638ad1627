/** Situations in which much is asked of a client, and then everything is over. */
import { meet, tell, type Room } from '../rooms.ts';
import { enrol } from '../crowd.ts';
import type { Calls } from './calls.ts';
import { holdRequests, type HeldRequests } from './requests.ts';
import type { Stage } from './stage.ts';

/** Brings Alice's client into a situation, with these calls under way; ends when the worst is over. */
type Situation = (stage: Stage, calls: Calls, hurry: () => void) => Promise<void>;

// More than a message brings its key for: these need a key message.
const CROWD = Array.from({ length: 16 }, (_, index) => `member ${index}`);

interface InFlight {
  readonly held: HeldRequests;
  /** As Bob has them. */
  readonly rooms: readonly Room[];
}

/** A send, an upload, an edit and a page of history on their way, and a message that waits for its key. */
async function inFlight(stage: Stage, calls: Calls): Promise<InFlight> {
  const { alice, bob, servers } = stage;
  const sending = await meet(bob, alice);
  const uploading = await meet(bob, alice);
  const editing = await meet(bob, alice);
  const waiting = await meet(bob, alice);
  const reading = await bob.createRoom();
  for (let index = 0; index < 5; index++) await reading.raw.sendMessage(`page ${index}`);
  const history = alice.joined(reading.raw.sid);
  await reading.add('alice');
  const [, own] = editing;
  const mine = await tell(own, own, 'to be edited');
  await enrol(servers.server, CROWD, false);
  for (const identity of CROWD) servers.emulator.tamper.addMember(waiting[0].raw.sid, identity);
  while ((await waiting[0].members()).length < CROWD.length + 2) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const read = await history;
  await stage.quiet(alice);

  const held = holdRequests(servers.emulator, 'alice');
  calls.add('send', sending[1].raw.sendMessage('hello'));
  calls.add('send behind it', sending[1].raw.sendMessage('hello again'));
  const file = { contentType: 'text/plain', media: 'a file' };
  calls.add('upload', uploading[1].raw.sendMessage(file));
  calls.add('edit', mine.updateBody('edited'));
  calls.add('page', read.raw.getMessages(2));
  await held.asked(/^POST .*\/Messages$/);
  await held.asked(/^POST .*\/Media$/);
  calls.add('send behind an upload', uploading[1].raw.sendMessage('see above'));
  await held.asked(/^POST .*\/Messages\/IM/);
  await held.asked(/^GET .*\/Items$/);
  if (bob.encryption) await waitForKey(stage, waiting, held);
  return {
    held,
    rooms: [sending, uploading, editing, waiting].map(([bobs]) => bobs).concat(reading),
  };
}

/** A message arrives whose key message Alice has to look for. */
async function waitForKey(
  { servers: { emulator } }: Stage,
  [bobs, own]: readonly [Room, Room],
  held: HeldRequests,
): Promise<void> {
  const undo = emulator.tamper.onPush(({ identity, object, key }) =>
    identity === 'alice' && object === `${own.raw.sid}.messages` && key === 0 ? [] : undefined,
  );
  const before = held.count(/^GET .*\/Items$/);
  await bobs.raw.sendMessage('under a key that is still to come');
  await held.asked(/^GET .*\/Items$/, before + 1);
  undo();
}

async function removedWhileOpening(stage: Stage, calls: Calls, hurry: () => void): Promise<void> {
  const { alice, bob, servers } = stage;
  const bobs = await bob.createRoom();
  const { sid } = bobs.raw;
  for (let index = 0; index < 5; index++) await bobs.raw.sendMessage(`page ${index}`);
  const held = holdRequests(servers.emulator, 'alice');
  const opened = alice.room(sid);
  calls.add('open', opened);
  calls.add(
    'members',
    opened.then((room) => room.members()),
  );
  calls.add(
    'page',
    opened.then(async (room) => {
      await room.raw.getMessages(2);
    }),
  );
  calls.add(
    'unread',
    opened.then((room) => room.unread()),
  );
  calls.add(
    'send',
    opened.then((room) => room.raw.sendMessage('too late')),
  );
  await bobs.add('alice');
  await held.asked(/./);
  await bobs.remove('alice');
  hurry();
  held.release();
}

export const SITUATIONS = {
  'removed while a channel is opened': removedWhileOpening,

  async 'removed from channels with calls in flight'(stage, calls, hurry) {
    const { held, rooms } = await inFlight(stage, calls);
    for (const room of rooms) await room.remove('alice');
    hurry();
    held.release();
  },

  async 'the client is shut down with calls in flight'(stage, calls, hurry) {
    const { held } = await inFlight(stage, calls);
    calls.add('shutdown', stage.shutdown(stage.alice));
    hurry();
    held.release();
  },

  async 'the device is closed with calls in flight'(stage, calls, hurry) {
    const { held } = await inFlight(stage, calls);
    stage.alice.encryption?.close();
    hurry();
    held.release();
  },

  async 'the connection is gone for good with calls in flight'(stage, calls, hurry) {
    const { held } = await inFlight(stage, calls);
    await stage.leave(stage.bob);
    await stage.closeEmulator();
    hurry();
    held.release();
  },

  async 'the token server is gone with messages waiting for cards, then the client is shut down'(
    stage,
    calls,
    hurry,
  ) {
    const { alice, bob, servers } = stage;
    const [bobs, own] = await meet(bob, alice);
    const [known] = await meet(bob, alice);
    // Bob knows Alice's card by now, and Alice not his.
    const undo = servers.emulator.tamper.onPush(({ identity, object }) =>
      identity === 'alice' && object === `${known.raw.sid}.messages` ? [] : undefined,
    );
    await known.raw.sendMessage('hello');
    undo();
    await stage.quiet(alice);
    await servers.closeTokenServer();
    for (const body of ['one', 'two', 'three']) await tell(bobs, own, body);
    calls.add('send', own.raw.sendMessage('for whom there is no card'));
    calls.add('page', own.raw.getMessages(2));
    calls.add('shutdown', stage.shutdown(alice));
    hurry();
  },
} as const satisfies Readonly<Record<string, Situation>>;
