/** The scenarios in a page: those peers that run there. */
import olmWasm from '@matrix-org/olm/olm.wasm';
import { ourFiles, sodiumFiles } from './files.ts';
import { first, follower, kept, noble, primitivesAlone, signatureAlone, suite2 } from './ours.ts';
import { age } from './peers/age.ts';
import { libsodium } from './peers/libsodium.ts';
import { megolm } from './peers/megolm.ts';
import { mls } from './peers/mls.ts';
import { openpgp } from './peers/openpgp.ts';
import { virgil, virgilGroup } from './peers/virgil.ts';
import { scenarios, type Result } from './scenarios.ts';

declare global {
  /** What whoever opened the page does with results; null after the last. */
  var report: (results: readonly Result[] | null) => Promise<void>;
  /** What olm.js reads when it starts, and does not define. */
  var OLM_OPTIONS: object;
}

globalThis.OLM_OPTIONS = {};

const peers = {
  messages: [
    kept,
    first,
    noble,
    suite2,
    signatureAlone,
    primitivesAlone,
    virgil,
    openpgp,
    libsodium,
    age,
  ],
  pages: [kept, noble, signatureAlone, primitivesAlone, virgil, openpgp, libsodium],
  sessions: [follower, virgilGroup, megolm(olmWasm), mls],
  files: [ourFiles, sodiumFiles],
};
for await (const results of scenarios(peers)) await report(results);
await report(null);
