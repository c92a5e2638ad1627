import {
  createApplicationMessage,
  createCommit,
  createGroup,
  defaultCapabilities,
  defaultLifetime,
  emptyPskIndex,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  processPrivateMessage,
} from 'ts-mls';
import { BODY, checkBody, type Peer } from '../peer.ts';

/** MLS (RFC 9420) in ts-mls. */
export const mls: Peer = {
  name: 'MLS (ts-mls)',
  differs:
    'A key for each message, from a tree of the group: joining and leaving cost a commit. Two people here, for whom it is the cheapest.',
  async chat() {
    const suite = await getCiphersuiteImpl(
      getCiphersuiteFromName('MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'),
    );
    const person = (name: string) =>
      generateKeyPackage(
        { credentialType: 'basic', identity: new TextEncoder().encode(name) },
        defaultCapabilities(),
        defaultLifetime,
        [],
        suite,
      );
    const [alice, bob] = [await person('alice'), await person('bob')];
    const id = new TextEncoder().encode('group');
    const alone = await createGroup(id, alice.publicPackage, alice.privatePackage, [], suite);
    const add = { proposalType: 'add', add: { keyPackage: bob.publicPackage } } as const;
    const commit = await createCommit(
      { state: alone, cipherSuite: suite },
      { extraProposals: [add], ratchetTreeExtension: true },
    );
    if (!commit.welcome) throw new Error('Nobody was added.');
    const reading = await joinGroup(
      commit.welcome,
      bob.publicPackage,
      bob.privatePackage,
      emptyPskIndex,
      suite,
    );
    const body = new TextEncoder().encode(BODY);
    let sending = commit.newState;
    return {
      async seal() {
        const { newState, privateMessage } = await createApplicationMessage(sending, body, suite);
        // The same state each time: a reader would have to step through those that he did not read.
        sending = { ...newState, secretTree: sending.secretTree };
        return async () => {
          const opened = await processPrivateMessage(reading, privateMessage, emptyPskIndex, suite);
          if (opened.kind !== 'applicationMessage') throw new Error('Not a message.');
          checkBody(new TextDecoder().decode(opened.message));
        };
      },
    };
  },
};
