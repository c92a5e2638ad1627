/** What is measured, in Node and in a page alike. */
import { cardImport } from './cards.ts';
import {
  measure,
  ratio,
  timing,
  type Ratio,
  type Task,
  type Times,
  type Timing,
} from './harness.ts';
import type { FilePeer } from './files.ts';
import { make, type Chat, type Opening, type Peer } from './peer.ts';

/** What one task took at one size. */
export interface Result {
  readonly scenario: Scenario;
  /** Recipients, cards or megabytes. */
  readonly size: number;
  readonly task: string;
  /** Microseconds. */
  readonly timing: Timing;
  /** How many times faster it is than the scenario's peer to compare with, in the same rounds. */
  readonly faster: Ratio | null;
}

/** What is measured. */
export type Scenario =
  | 'seal'
  | 'open'
  | 'seal in a session'
  | 'open in a session'
  | 'page of 100'
  | 'import cards'
  | 'encrypt a file'
  | 'decrypt a file';

/** Who takes part. */
export interface Peers {
  readonly messages: readonly Peer[];
  readonly pages: readonly Peer[];
  readonly sessions: readonly Peer[];
  readonly files: readonly FilePeer[];
}

/** With whom the others are compared. */
export const BASES: Readonly<Record<Scenario, string>> = {
  seal: 'Virgil',
  open: 'Virgil',
  'seal in a session': 'Virgil group session',
  'open in a session': 'Virgil group session',
  'page of 100': 'Virgil',
  'import cards': 'floor: two signatures a card',
  'encrypt a file': 'libsodium',
  'decrypt a file': 'libsodium',
};

const SIZES = [1, 10, 100, 1000];
const CARDS = [10, 100, 1000];
const MEGABYTES = [1, 10, 150];
const PAGE = 100;
const SENDERS = 10;
const MILLISECONDS_PER_TASK = 600;

/** Runs everything. */
export async function* scenarios(peers: Peers): AsyncGenerator<readonly Result[]> {
  for (const size of SIZES) yield* messages(peers.messages, size);
  yield* sessions(peers.sessions);
  yield await page(peers.pages);
  for (const size of CARDS) yield await cards(size);
  for (const size of MEGABYTES) yield* files(peers.files, size);
}

async function compared(
  scenario: Scenario,
  size: number,
  tasks: Readonly<Record<string, Task>>,
): Promise<readonly Result[]> {
  const each = scenario === 'page of 100' ? 5 * MILLISECONDS_PER_TASK : MILLISECONDS_PER_TASK;
  const milliseconds = each * Object.keys(tasks).length;
  const all = await measure(tasks, milliseconds);
  const base = all.get(BASES[scenario]);
  return Array.from(all, ([task, times]: [string, Times]) => {
    const faster = base ? ratio(base, times) : null;
    return { scenario, size, task, timing: timing(times), faster };
  });
}

/** Messages of one sender to so many recipients, the reader among them. */
export async function* messages(
  peers: readonly Peer[],
  size: number,
): AsyncGenerator<readonly Result[]> {
  const taking = peers.filter(({ most = Infinity }) => size <= most);
  yield* sealAndOpen(['seal', 'open'], taking, size);
}

/** Messages under keys that all members have: what they cost does not depend on how many there are. */
export async function* sessions(peers: readonly Peer[]): AsyncGenerator<readonly Result[]> {
  yield* sealAndOpen(['seal in a session', 'open in a session'], peers, 1);
}

async function* sealAndOpen(
  [sealing, opening]: readonly [Scenario, Scenario],
  peers: readonly Peer[],
  size: number,
): AsyncGenerator<readonly Result[]> {
  const seals: Record<string, Task> = {};
  const opens: Record<string, Task> = {};
  for (const peer of peers) {
    const chat = await peer.chat(size);
    seals[peer.name] = { run: () => chat.seal(0) };
    opens[peer.name] = await openingOf(peer, chat);
  }
  yield await compared(sealing, size, seals);
  yield await compared(opening, size, opens);
}

async function openingOf({ opensOnce }: Peer, chat: Chat): Promise<Task> {
  let open = await chat.seal(0);
  await open();
  if (!opensOnce) return { run: () => open() };
  const before = async (): Promise<void> => {
    open = await chat.seal(0);
  };
  return { before, run: () => open() };
}

/** 100 messages of 10 senders, which are read at once: in the order of the page, and side by side. */
export async function page(peers: readonly Peer[]): Promise<readonly Result[]> {
  const tasks: Record<string, Task> = {};
  for (const peer of peers) {
    const chat = await peer.chat(SENDERS);
    const openings = await make(PAGE, (index): Opening | Promise<Opening> =>
      chat.seal(index % SENDERS),
    );
    const run = (): Promise<unknown> => Promise.all(openings.map((open) => open()));
    await run();
    tasks[peer.name] = { run };
    const { forget } = chat;
    if (forget) tasks[`${peer.name}, cold`] = { before: forget, run };
  }
  return compared('page of 100', PAGE, tasks);
}

/** So many people's cards out of the log, each proven to be all that there is of them. */
export async function cards(size: number): Promise<readonly Result[]> {
  const { lookUp, verifySignatures } = await cardImport(size);
  return compared('import cards', size, {
    'this library': { run: lookUp },
    'floor: two signatures a card': { run: verifySignatures },
  });
}

/** A file of so many megabytes, chunk by chunk. */
export async function* files(
  peers: readonly FilePeer[],
  size: number,
): AsyncGenerator<readonly Result[]> {
  const encrypts: Record<string, Task> = {};
  const decrypts: Record<string, Task> = {};
  for (const { name, encrypt } of peers) {
    encrypts[name] = { run: () => encrypt(size) };
    const decrypt = await encrypt(size);
    decrypts[name] = { run: decrypt };
  }
  yield await compared('encrypt a file', size, encrypts);
  yield await compared('decrypt a file', size, decrypts);
}
