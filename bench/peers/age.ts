import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { at, BODY, checkBody, make, type Peer } from '../peer.ts';

/** age (typage). */
export const age: Peer = {
  name: 'age',
  differs: 'Not signed. No keys are kept between messages.',
  most: 100,
  async chat(people) {
    const identities = await make(people, () => generateX25519Identity());
    const encrypter = new Encrypter();
    for (const identity of identities) encrypter.addRecipient(await identityToRecipient(identity));
    const decrypter = new Decrypter();
    decrypter.addIdentity(at(identities, -1));
    return {
      async seal() {
        const sealed = await encrypter.encrypt(BODY);
        return async () => {
          checkBody(await decrypter.decrypt(sealed, 'text'));
        };
      },
    };
  },
};
