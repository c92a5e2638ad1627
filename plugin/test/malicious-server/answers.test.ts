/** Answers about people that prove nothing: no card of them is used, and nothing is lost. */
import { base64url, exportCard, lookupToJson, type Lookup } from 'twilio-chat-encryption/protocol';
import { parseIdentity, type EntryWithContent } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { codeOf } from '../outcomes.ts';
import { HEAD, person, random, seal, type Person as Card } from '../protocol/people.ts';
import { forged } from './forged.ts';
import { NOTHING_HEARD } from './heard.ts';
import { answering, finding, lookupOf, proving, writing, type Lie } from './lies.ts';
import { Room } from './room.ts';
import { later, MaliciousServer, type Person } from './server.ts';

const START = Date.UTC(2026, 0, 1);

let server: MaliciousServer;
let alice: Person;
let bob: Person;
let evil: Card;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  server = new MaliciousServer();
  [alice, bob] = [await server.open('alice'), await server.open('bob')];
  for (const who of ['bob', 'carol', 'carol', 'erin']) await publish(await person(who));
  evil = await forged('bob');
  // Bob is known to Alice from here on.
  await new Room('alice', 'bob').tell(alice.device, bob.device, 'hello');
  // He has a second card, for which the first did not vouch.
  expect(alice.heard.unconnectedCards.splice(0)).toHaveLength(1);
});

afterAll(() => {
  vi.useRealTimers();
});

async function publish({ card }: Card): Promise<void> {
  await server.truth.publish(exportCard(card));
}

/** What is asked about these people is answered about others. */
function aboutOthers(choose: (identity: string) => string): Lie {
  return (honest) => ({
    lookup: (identities, from) =>
      honest.lookup(
        identities.map((one) => parseIdentity(choose(one))),
        from,
      ),
  });
}

function entries(change: (all: readonly EntryWithContent[]) => readonly EntryWithContent[]): Lie {
  return finding((found) => ({ ...found, entries: change(found.entries) }));
}

/** The first bytes of an entry, or of a leaf, and others behind them. */
const bent = (bytes: Uint8Array, at: number) => {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

const inclusion = (change: (hashes: Lookup['inclusion']) => Lookup['inclusion']): Lie =>
  proving((lookup) => ({ ...lookup, inclusion: change(lookup.inclusion) }));

const siblings = (change: (hashes: Lookup['inclusion']) => Lookup['inclusion']): Lie =>
  finding(({ entries, proof }) => ({
    entries,
    proof: { ...proof, siblings: change(proof.siblings) },
  }));

/** The history as it was before the last entry of all, with the newest head. */
const older = answering(async (answer, identities) => {
  const { log } = server.truth;
  return { ...answer, lookup: lookupToJson(await log.lookup(identities, log.size - 1)) };
});

const proofOfErin = answering(async (answer, identities, honest) => {
  const erin = lookupOf(
    (
      await honest.lookup(
        identities.map(() => parseIdentity('erin')),
        0,
      )
    ).lookup,
  );
  const lookup = lookupOf(answer.lookup);
  const found = lookup.found.map(({ entries }, index) => ({
    entries,
    proof: erin.found[index]?.proof ?? { siblings: [], other: null },
  }));
  return { ...answer, lookup: lookupToJson({ ...lookup, found }) };
});

/** The own leaf of somebody, as if it were another's that shows that they are not there. */
const absent = answering((answer) => {
  const lookup = lookupOf(answer.lookup);
  const found = lookup.found.map(({ entries, proof }) => {
    const history = random(32);
    const identityHash = entries[0]?.entry.slice(9, 41) ?? random(32);
    return {
      entries: [],
      proof: { ...proof, other: { identityHash, count: entries.length || 1, history } },
    };
  });
  return { ...answer, lookup: lookupToJson({ ...lookup, found }) };
});

const attacks: Readonly<Record<string, Lie>> = {
  'no proof of the map': siblings(() => []),
  'a truncated proof of the map': siblings((all) => all.slice(1)),
  'a proof of the map cut at its end': siblings((all) => all.slice(0, -1)),
  'a lengthened proof of the map': siblings((all) => [...all, random(32)]),
  'no proof of the last leaf': inclusion(() => []),
  'a truncated proof of the last leaf': inclusion((all) => all.slice(1)),
  'a lengthened proof of the last leaf': inclusion((all) => [...all, random(32)]),
  'another leaf': proving((lookup) => ({
    ...lookup,
    lastLeaf: server.truth.log.leaves.at(-2) ?? null,
  })),
  'a leaf with another map': proving((lookup) => ({
    ...lookup,
    lastLeaf: lookup.lastLeaf && bent(lookup.lastLeaf, 136),
  })),
  'an empty log': proving(({ found }) => ({ lastLeaf: null, inclusion: [], found })),
  'the proof for another identity': proofOfErin,
  'what an older head proves': older,
  'another person’s whole history': aboutOthers(() => 'carol'),
  'swapped identities': aboutOthers((one) => (one === 'alice' ? 'bob' : 'alice')),
  'too few people': proving((lookup) => ({ ...lookup, found: lookup.found.slice(1) })),
  'too many people': proving((lookup) => ({
    ...lookup,
    found: [...lookup.found, ...lookup.found],
  })),
  'nobody, for somebody who exists': entries(() => []),
  'nobody, by the leaf of the very person': absent,
  'the newest card left out': entries((all) => all.slice(0, -1)),
  'the oldest card left out': entries((all) => all.slice(1)),
  'a card twice': entries((all) => [...all, ...all.slice(-1)]),
  'a history without its content': entries((all) => all.map((one) => ({ ...one, content: '' }))),
  'entries in another order': entries((all) =>
    all.length > 1 ? all.toReversed() : [...all, ...all],
  ),
  'a card of its own making in the place of each': entries((all) =>
    all.map(({ entry }) => ({ entry, content: exportCard(evil.card) })),
  ),
  'an entry with other bytes': entries((all) =>
    all.map(({ entry, content }) => ({ entry: bent(entry, 104), content })),
  ),
  'an entry of another time': entries((all) =>
    all.map(({ entry, content }) => ({ entry: bent(entry, 8), content })),
  ),
  'a revocation made of an approval': entries((all) =>
    all.map(({ entry, content }) => ({ entry: Uint8Array.of(2, ...entry.slice(1)), content })),
  ),
  'an entry without its bytes': writing((found) => ({ ...found, entries: [{ content: 'x' }] })),
  'an entry that is no text': writing((found) => ({ ...found, entries: [{ entry: 5 }] })),
  'a proof that is no list': writing((found) => ({ ...found, siblings: {} })),
  'a count that is cut': writing((found) => ({
    ...found,
    other: { identityHash: base64url.encode(random(32)), count: 0, history: '' },
  })),
  'no lookup at all': answering((answer) => ({ ...answer, lookup: null })),
  'half a character': writing((found) => ({
    ...found,
    entries: [{ entry: base64url.encode(random(105)), content: '\ud800' }],
  })),
};

test.each(Object.entries(attacks))(
  'are %s: LOG_INVALID, nobody is trusted for it, and all goes on afterwards',
  async (_, lie) => {
    // Somebody who has never been seen.
    const name = `dave ${server.truth.log.size}`;
    const dave = await person(name);
    await publish(dave);
    later();
    server.tell(lie, 'alice');
    const known = new Room('alice', 'bob');
    const unknown = new Room('alice', name);
    for (const room of [known, unknown]) {
      expect(await codeOf(room.send(alice.device, 'secret'))).toBe('LOG_INVALID');
      expect(room.posts).toEqual([]);
    }
    for (const who of ['bob', name]) {
      expect(await codeOf(alice.device.safetyNumbers.trustOf(who))).toBe('LOG_INVALID');
    }
    expect(await codeOf(alice.device.devices.list())).toBe('LOG_INVALID');
    // Reading goes on: of who is known at once, and of who is not when the server is honest.
    const fromBob = await known.send(bob.device, 'still here');
    expect(await known.read(alice.device, fromBob)).toBe('still here (pinned)');
    const alices = { ...dave, card: alice.device.card() };
    const text = await seal(dave, [alices], 'new here', {
      channelSid: unknown.sid,
      head: HEAD,
    });
    const fromDave = unknown.put(name, text);
    expect(await unknown.read(alice.device, fromDave)).toBe('CARD_PENDING');

    server.repent();
    expect(await unknown.read(alice.device, fromDave)).toMatch(/^new here \(new\)/);
    expect(await known.tell(alice.device, bob.device, 'again')).toMatch(/^again \(/);
    await unknown.send(alice.device, 'welcome');
    expect(unknown.readableWith(dave.encryptionSecret)).toEqual([fromDave + 1]);
    for (const room of [known, unknown])
      expect(room.readableWith(evil.encryptionSecret)).toEqual([]);
    expect(await alice.device.splitView()).toBeNull();
    expect(alice.heard).toEqual(NOTHING_HEARD);
  },
);
