/** A token server that has both keys, and shows different people different logs. */
import { createCard, curves, exportCard, parseIdentity } from 'twilio-chat-encryption/protocol';
import type { Directory, SplitView } from 'twilio-chat-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoggedDirectory, PINS } from '../client/logged-directory.ts';
import { random } from '../protocol/people.ts';
import { deliver, next, pair, startWorld, type Person, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

/** Two logs: what is published is in both, what is planted in one. */
class TwoFaced {
  readonly first = new LoggedDirectory();
  readonly second = new LoggedDirectory();

  /** The server as those see it who are shown this log. */
  face(log: LoggedDirectory): Directory {
    return {
      publish: async (exported) => {
        const [approved] = await Promise.all([
          log.publish(exported),
          (log === this.first ? this.second : this.first).publish(exported),
        ]);
        return approved;
      },
      get: (id) => log.get(id),
      lookup: (identities, from) => log.lookup(identities, from),
      lookupAt: (identity, size) => log.lookupAt(identity, size),
      consistency: (from, to) => log.consistency(from, to),
      revoke: (id, revocation) => log.revoke(id, revocation),
    };
  }
}

const person = (identity: string, server: Directory): Promise<Person> =>
  world.person(identity, { ...PINS, server });

async function planted(identity: string): Promise<string> {
  const backEnd = await curves();
  const signingKey = await backEnd.importSigningKey(random(32));
  const encryptionKey = await backEnd.importAgreementKey(random(32));
  const content = { identity: parseIdentity(identity), createdAt: Date.now() };
  return exportCard(await createCard(content, signingKey, encryptionKey));
}

test('is found out with the first message between two of them, by the one who is lied about', async () => {
  const server = new TwoFaced();
  const alice = await person('alice', server.face(server.first));
  // Bob is shown a card of Alice that she does not have, and sees hers and this one first.
  await server.second.publish(await planted('alice'));
  const bob = await person('bob', server.face(server.second));
  const [own, bobs] = await pair(bob, alice);
  const split = new Promise<SplitView>((resolve) => {
    alice.encryption.on('splitView', resolve);
  });
  const read = await deliver(own, bobs, 'hello');
  expect(read.encryption.status).toBe('verified');
  const evidence = await split;
  expect(await alice.encryption.splitView()).toEqual(evidence);
  // Nobody new is trusted from then on; whoever was known before is.
  const carol = await person('carol', server.face(server.first));
  const joined = next(bobs, 'memberJoined');
  await own.add(carol.identity);
  await joined;
  await expect(bobs.sendMessage('to a stranger')).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
});
