import Olm from '@matrix-org/olm';
import { BODY, checkBody, type Peer } from '../peer.ts';

/**
 * Megolm, Matrix's session of one sender, in its first library.
 * @param wasm where its WebAssembly is, for a page
 */
export function megolm(wasm?: string): Peer {
  return {
    name: 'Megolm (olm)',
    differs:
      'The cipher alone: its key has to reach each member by Olm before, and the signing key is that of the session, not of a card.',
    async chat() {
      await Olm.init(wasm === undefined ? undefined : { locateFile: () => wasm });
      const sending = new Olm.OutboundGroupSession();
      sending.create();
      const reading = new Olm.InboundGroupSession();
      reading.create(sending.session_key());
      return {
        seal() {
          const sealed = sending.encrypt(BODY);
          return () => {
            checkBody(reading.decrypt(sealed).plaintext);
          };
        },
      };
    },
  };
}
