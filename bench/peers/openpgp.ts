import {
  createMessage,
  decrypt,
  encrypt,
  generateKey,
  readMessage,
  type PrivateKey,
  type PublicKey,
} from 'openpgp';
import { at, BODY, checkBody, make, type Peer } from '../peer.ts';

interface Person {
  readonly privateKey: PrivateKey;
  readonly publicKey: PublicKey;
}

/** OpenPGP.js 6: one message, signed and encrypted for all, binary. */
export const openpgp: Peer = {
  name: 'OpenPGP.js',
  differs: 'The signature does not cover the recipients. No keys are kept between messages.',
  async chat(people) {
    const everybody: Person[] = await make(people, (index) =>
      generateKey({
        type: 'curve25519',
        userIDs: [{ name: `person ${index}` }],
        format: 'object',
      }),
    );
    const encryptionKeys = everybody.map(({ publicKey }) => publicKey);
    const { privateKey: decryptionKeys } = at(everybody, -1);
    return {
      async seal(sender) {
        const { privateKey: signingKeys, publicKey: verificationKeys } = at(everybody, sender);
        const message = await createMessage({ text: BODY });
        const format = 'binary' as const;
        const sealed = await encrypt({ message, encryptionKeys, signingKeys, format });
        return async () => {
          const read = await readMessage({ binaryMessage: sealed });
          const options = { message: read, decryptionKeys, verificationKeys };
          const { data } = await decrypt({ ...options, expectSigned: true });
          checkBody(data);
        };
      },
    };
  },
};
