import { initCrypto, VirgilCrypto } from 'virgil-crypto';
import { at, BODY, checkBody, make, type Peer } from '../peer.ts';

/** virgil-crypto 5.1.2: signThenEncrypt and decryptThenVerify. */
export const virgil: Peer = {
  name: 'Virgil',
  differs:
    'The signature covers neither the recipients nor a channel, and nothing is padded. No keys are kept between messages.',
  async chat(people) {
    await initCrypto();
    const crypto = new VirgilCrypto();
    const keys = await make(people, () => crypto.generateKeys());
    const publicKeys = keys.map(({ publicKey }) => publicKey);
    const reader = at(keys, -1);
    const body = { value: BODY, encoding: 'utf8' } as const;
    return {
      seal(sender) {
        const { privateKey, publicKey } = at(keys, sender);
        const sealed = crypto.signThenEncrypt(body, privateKey, publicKeys);
        return () => {
          const opened = crypto.decryptThenVerify(sealed, reader.privateKey, publicKey);
          checkBody(opened.toString());
        };
      },
    };
  },
};

/** Its group session: one ticket for all, a ratchet of epochs. */
export const virgilGroup: Peer = {
  name: 'Virgil group session',
  differs: 'Its key has to reach each member before; the messages are not padded.',
  async chat(people) {
    await initCrypto();
    const crypto = new VirgilCrypto();
    const keys = await make(people, () => crypto.generateKeys());
    const session = crypto.generateGroupSession('the id of a group, long enough');
    const reading = crypto.importGroupSession(session.export());
    return {
      seal(sender) {
        const { privateKey, publicKey } = at(keys, sender);
        const sealed = session.encrypt({ value: BODY, encoding: 'utf8' }, privateKey);
        return () => {
          checkBody(reading.decrypt(sealed, publicKey).toString());
        };
      },
    };
  },
};
