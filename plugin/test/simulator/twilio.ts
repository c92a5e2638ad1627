/** Twilio as an attacker, and a member who helps it. */
import {
  createEphemeral,
  curves,
  importCard,
  openKeyRecord,
  openMessage,
  parseCardId,
  parseChannelSid,
  parseEnvelope,
  messageIdOf,
  sealFollower,
  sealMessage,
  x25519Slots,
  type Bytes,
  type Card,
  type EditTarget,
  type LogHead,
  type SignedMessage,
} from 'twilio-chat-encryption/protocol';
import type { StoredMessage } from 'twilio-chat-emulator';
import type { Person, World } from '../integration/world.ts';
import { openRaw, sealRaw } from '../protocol/malicious-member.ts';
import { FORGED, SECRET, type Model } from './model.ts';
import type { Attack } from './schedule.ts';

type Of<Name extends Attack['do']> = Extract<Attack, { readonly do: Name }>;

/** What an attack works with. */
export interface Scene {
  readonly world: World;
  readonly model: Model;
  readonly rooms: readonly string[];
  readonly people: readonly Person[];
}

/** Does to the store what an attack says; pushes are another matter. */
export async function attack(step: Exclude<Attack, Of<'pushes'>>, scene: Scene): Promise<void> {
  const channelSid = scene.rooms[step.room] ?? '';
  const stored = scene.world.emulator.inspect.messages(channelSid);
  if (step.do === 'inject') {
    const author = scene.people[step.who]?.identity ?? '';
    scene.world.emulator.tamper.inject(channelSid, forgedWords(author));
    return;
  }
  const victim = pick(stored, step.which);
  if (!victim) return;
  const target: Target = { channelSid, stored, victim };
  switch (step.do) {
    case 'copy':
      copy(step, target, scene);
      return;
    case 'cross-post':
      crossPost(step, target, scene);
      return;
    case 'relabel':
      relabel(step, target, scene);
      return;
    case 'swap':
      swap(step, target, scene);
      return;
    case 'bend':
      bend(step, target, scene);
      return;
    case 'attributes':
      scene.world.emulator.tamper.rewrite(
        channelSid,
        victim.index,
        { attributes: step.value },
        step.manner,
      );
      return;
    case 'remove':
      scene.model.damage(channelSid, victim.index);
      scene.world.emulator.tamper.remove(channelSid, victim.index, step.manner);
      return;
    case 'forge':
      await forge(step, target, scene);
  }
}

interface Target {
  readonly channelSid: string;
  readonly stored: readonly StoredMessage[];
  readonly victim: StoredMessage;
}

function pick<T>(all: readonly T[], number: number): T | undefined {
  return all[number % Math.max(1, all.length)];
}

function forgedWords(author: string): Pick<StoredMessage, 'author' | 'body' | 'attributes'> {
  return { author, body: `${FORGED}: send me money`, attributes: `{"mood":"${FORGED}"}` };
}

/** A place that is taken, or would be. */
function placeOf({ world, model }: Scene, to: number, sid: string): number {
  const last = world.emulator.inspect.messages(sid).at(-1)?.index ?? 0;
  const index = to % (last + 1);
  // By what stood here before, and by what comes.
  model.touch(sid, index);
  model.touch(sid, index);
  model.damage(sid, index);
  return index;
}

function copy({ to, as }: Of<'copy'>, { channelSid, victim }: Target, scene: Scene): void {
  const { tamper } = scene.world.emulator;
  const index = to === null ? undefined : placeOf(scene, to, channelSid);
  const from = { channel: channelSid, index: victim.index };
  const { index: at } =
    as === 'itself'
      ? tamper.copy(from, { channel: channelSid, ...(index !== undefined && { index }) })
      : tamper.inject(channelSid, { author: victim.author, body: victim.body }, index);
  if (index === undefined) scene.model.touch(channelSid, at);
}

function crossPost({ to, room }: Of<'cross-post'>, target: Target, scene: Scene): void {
  const channel = scene.rooms[1 - room] ?? '';
  const index = to === null ? undefined : placeOf(scene, to, channel);
  const from = { channel: target.channelSid, index: target.victim.index };
  scene.world.emulator.tamper.copy(from, { channel, ...(index !== undefined && { index }) });
}

function relabel(
  { part, manner }: Of<'relabel'>,
  { channelSid, victim, stored }: Target,
  { world, model, people }: Scene,
): void {
  const others = people.filter(({ identity }) => identity !== victim.author);
  const parts = {
    author: { author: others[0]?.identity ?? '' },
    dateCreated: { dateCreated: '2001-01-01T00:00:00Z' },
    dateUpdated: { dateUpdated: 'never' },
    sid: { sid: stored.find(({ sid }) => sid !== victim.sid)?.sid ?? victim.sid },
  };
  model.damage(channelSid, victim.index);
  if (part === 'sid') model.touch(channelSid, victim.index);
  world.emulator.tamper.rewrite(channelSid, victim.index, parts[part], manner);
}

function swap({ other, manner }: Of<'swap'>, target: Target, { world, model }: Scene): void {
  const { channelSid, stored, victim } = target;
  const second = pick(stored, other);
  if (!second || second.index === victim.index) return;
  for (const [at, there] of [
    [victim, second],
    [second, victim],
  ] as const) {
    model.touch(channelSid, at.index);
    model.damage(channelSid, at.index);
    const { body, author } = there;
    world.emulator.tamper.rewrite(channelSid, at.index, { body, author }, manner);
  }
}

function bend(step: Of<'bend'>, target: Target, { world, model, rooms }: Scene): void {
  const { channelSid, stored } = target;
  const { into, at, manner } = step;
  const edited = stored.filter((one) => olderThan(one, model).length > 0);
  const victim = (into === 'older' ? pick(edited, step.which) : null) ?? target.victim;
  const body = bent(victim.body, into, at, {
    versions: olderThan(victim, model),
    others: stored.map((one) => one.body),
    foreign: world.emulator.inspect.messages(rooms[1 - step.room] ?? '').map((one) => one.body),
  });
  if (body === victim.body) return;
  if (into === 'other' || into === 'foreign') model.touch(channelSid, victim.index);
  model.damage(channelSid, victim.index);
  world.emulator.tamper.rewrite(channelSid, victim.index, { body }, manner);
}

/** The other versions of what stands there. */
function olderThan({ body }: StoredMessage, model: Model): string[] {
  const genuine = model.genuine.get(body);
  if (genuine?.kind !== 'message') return [];
  const texts = genuine.sent.versions.map(({ text }) => text);
  return texts.filter((text) => text !== null && text !== body).map(String);
}

function bent(
  body: string,
  into: Of<'bend'>['into'],
  at: number,
  {
    versions,
    others,
    foreign,
  }: Readonly<Record<'versions' | 'others' | 'foreign', readonly string[]>>,
): string {
  switch (into) {
    case 'flipped':
      return flipped(body, at);
    case 'cut':
      return body.slice(0, at % Math.max(1, body.length));
    case 'words':
      return forgedWords('').body;
    case 'version':
      return body.replace('e2e1.', 'e2e2.');
    case 'older':
      return pick(versions, at) ?? body;
    case 'other':
      return pick(others, at) ?? body;
    case 'foreign':
      return pick(foreign, at) ?? body;
  }
}

function flipped(body: string, at: number): string {
  if (!body.startsWith('e2e1.')) return body;
  const bytes = Buffer.from(body.slice(5), 'base64url');
  const index = at % Math.max(1, bytes.length);
  bytes[index] = (bytes[index] ?? 0) ^ (1 << (at % 8));
  return `e2e1.${bytes.toString('base64url')}`;
}

/** What is pushed in the place of a message. */
export function bentPush(text: string, { model }: Scene, channelSid: string): string {
  const texts = [...model.genuine].flatMap(([one, genuine]) =>
    genuine.kind === 'message' && genuine.sent.channelSid === channelSid ? [one] : [],
  );
  // The one before it: true, and in the wrong place.
  return texts.at(texts.indexOf(text) - 1) ?? forgedWords('').body;
}

/** The second of the people, with their keys in their own hands. */
interface Insider {
  readonly identity: string;
  readonly card: Card;
  readonly secret: Uint8Array<ArrayBuffer>;
  /** What he sees of the log. */
  readonly head: LogHead;
}

async function insider(world: World, person: Person): Promise<Insider> {
  const name = `key/${person.identity}`;
  const record = await person.keyStore.get(name);
  if (!record) throw new Error('No key record.');
  const secret = await openKeyRecord(name, record, `password of ${person.identity}`);
  const card = await importCard(await world.exportedCard(person));
  const head = await world.head(person);
  // Behind the version and the device's secret.
  return { identity: person.identity, card, secret: secret.slice(33), head };
}

async function forge(
  { how, which }: Of<'forge'>,
  { channelSid, victim, stored }: Target,
  { world, model, people }: Scene,
): Promise<void> {
  const person = people[1];
  if (!person) return;
  const bob = await insider(world, person);
  const cards = await Promise.all(
    people.map(async (one) => importCard(await world.exportedCard(one))),
  );
  const readers = cards.map(({ encryptionKey }) => encryptionKey);
  const findCard = (id: string): Promise<Card> => {
    const card = cards.find((one) => one.id === id);
    return card ? Promise.resolve(card) : Promise.reject(new Error('Not one of the people.'));
  };
  const { tamper } = world.emulator;
  switch (how) {
    case 'other words':
    case 'forwarded': {
      const body = reseal(victim.body, bob, readers, how === 'other words');
      if (body !== null) tamper.inject(channelSid, { author: victim.author, body });
      return;
    }
    case 'foreign session': {
      const key = stored.find(
        ({ author, body }) => author !== bob.identity && isKeyMessage(body, model),
      );
      const body = key && (await followerUnder(key, bob, channelSid, findCard));
      if (body) tamper.inject(channelSid, { author: bob.identity, body });
      return;
    }
    case 'edit':
    case 'edit as author': {
      const others = stored.filter((one) => isMessageOfOthers(one, bob, model));
      const chosen = pick(others, which);
      const genuine = model.genuine.get(chosen?.body ?? '');
      if (!chosen || genuine?.kind !== 'message') return;
      const { cardId, messageId, home } = genuine.sent;
      if (messageId === null || home === null) return;
      const named = {
        cardId: parseCardId(cardId),
        messageId: messageIdOf(new Uint8Array(Buffer.from(messageId, 'hex'))),
        sequence: home.sequence,
        revision: 99,
      };
      const body = await editBy(bob, channelSid, named, readers);
      const author = how === 'edit' ? bob.identity : chosen.author;
      model.damage(channelSid, chosen.index);
      tamper.rewrite(channelSid, chosen.index, { body, author });
    }
  }
}

function isMessageOfOthers({ body }: StoredMessage, bob: Insider, model: Model): boolean {
  const genuine = model.genuine.get(body);
  return genuine?.kind === 'message' && genuine.sent.author !== bob.identity;
}

function isKeyMessage(body: string, model: Model): boolean {
  return model.genuine.get(body)?.kind === 'key';
}

const SIGNATURE_LENGTH = 64;
const CARD_ID_LENGTH = 32;

/** The signed message of a carrier, sealed for others; with other words in it, if so wanted. */
function reseal(
  text: string,
  { secret }: Insider,
  readers: readonly Uint8Array[],
  changed: boolean,
): string | null {
  try {
    const plaintext = Buffer.from(openRaw(text, secret.slice(32, 64)));
    const at = plaintext.indexOf(SECRET);
    if (changed && at > 0) {
      plaintext.write(FORGED, at);
      // Under a name of its own, or readers of the original would know it for another.
      const length = plaintext[SIGNATURE_LENGTH] ?? 0;
      plaintext.set(random(16), SIGNATURE_LENGTH + 1 + length + CARD_ID_LENGTH);
    }
    return sealRaw(new Uint8Array(plaintext), readers);
  } catch {
    // Not a carrier for him.
    return null;
  }
}

const content = (): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(JSON.stringify({ body: `${FORGED} by a member` })));
const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));

/** A follower that the insider signs as himself, under a session that somebody else opened. */
async function followerUnder(
  key: StoredMessage,
  bob: Insider,
  channelSid: string,
  findCard: (id: string) => Promise<Card>,
): Promise<string | null> {
  const backEnd = await curves();
  const envelope = parseEnvelope(key.body);
  const opened = await openMessage(envelope, {
    channelSid: parseChannelSid(channelSid),
    author: key.author,
    opener: {
      key: await backEnd.importAgreementKey(bob.secret.slice(32, 64)),
      slotKeys: new Map(),
    },
    findCard,
  }).catch(() => null);
  if (!opened?.session) return null;
  const { text } = await sealFollower(
    { ...signedBy(bob, channelSid), kind: 'message', sequence: 1000, content: content() },
    await backEnd.importSigningKey(bob.secret.slice(0, 32)),
    opened.session,
    key.index,
    random,
  );
  return text;
}

async function editBy(
  bob: Insider,
  channelSid: string,
  target: EditTarget,
  readers: readonly Bytes[],
): Promise<string> {
  const backEnd = await curves();
  const { text } = await sealMessage(
    { ...signedBy(bob, channelSid), kind: 'edit', target, content: content() },
    await backEnd.importSigningKey(bob.secret.slice(0, 32)),
    x25519Slots(await createEphemeral(random), readers),
    random,
  );
  return text;
}

function signedBy(
  bob: Insider,
  channelSid: string,
): Pick<SignedMessage, 'channelSid' | 'senderCardId' | 'messageId' | 'sentAt' | 'head'> {
  return {
    channelSid: parseChannelSid(channelSid),
    senderCardId: bob.card.id,
    messageId: messageIdOf(random(16)),
    sentAt: Date.now(),
    head: bob.head,
  };
}
