import sodium from 'libsodium-wrappers';
import { at, BODY, checkBody, make, type Peer } from '../peer.ts';

/**
 * libsodium, called as an application would that does by hand what this library does: a signature, a
 * message key, and a box of it for each recipient, under shared keys that are kept.
 */
export const libsodium: Peer = {
  name: 'libsodium, keys kept',
  differs:
    'Bare primitives under long-lived keys: no format, no ephemeral keys, no padding, no commitment; the signature does not cover the recipients.',
  async chat(people) {
    await sodium.ready;
    const everybody = await make(people, () => ({
      signing: sodium.crypto_sign_keypair(),
      box: sodium.crypto_box_keypair(),
    }));
    const shared = everybody
      .slice(0, 10)
      .map(({ box }) =>
        everybody.map((other) => sodium.crypto_box_beforenm(other.box.publicKey, box.privateKey)),
      );
    return {
      seal(sender) {
        const { signing } = at(everybody, sender);
        const signed = sodium.crypto_sign(BODY, signing.privateKey);
        const key = sodium.randombytes_buf(sodium.crypto_secretbox_KEYBYTES);
        const nonce = sodium.randombytes_buf(sodium.crypto_secretbox_NONCEBYTES);
        const boxes = at(shared, sender).map((kek) =>
          sodium.crypto_box_easy_afternm(key, nonce, kek),
        );
        const ciphertext = sodium.crypto_secretbox_easy(signed, nonce, key);
        return () => {
          const kek = at(at(shared, sender), -1);
          const opened = sodium.crypto_box_open_easy_afternm(at(boxes, -1), nonce, kek);
          const plaintext = sodium.crypto_secretbox_open_easy(ciphertext, nonce, opened);
          const body = sodium.crypto_sign_open(plaintext, signing.publicKey);
          checkBody(sodium.to_string(body));
        };
      },
    };
  },
};
