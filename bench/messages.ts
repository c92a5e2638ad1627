/**
 * `npm run bench`: measures this library's protocol against its peers, in Node and in a Chromium. Prints
 * tables, and writes them, the figures and the plots of `docs/performance.md` to `docs/performance/`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inChromium, type Run } from './chromium.ts';
import { floor } from './floor.ts';
import { floorFiles } from './floor-files.ts';
import { ourFiles, sodiumFiles } from './files.ts';
import { heldByFile } from './memory.ts';
import { first, follower, kept, noble, primitivesAlone, signatureAlone, suite2 } from './ours.ts';
import { age } from './peers/age.ts';
import { libsignal, libsignalGroup } from './peers/libsignal.ts';
import { libsodium } from './peers/libsodium.ts';
import { megolm } from './peers/megolm.ts';
import { mls } from './peers/mls.ts';
import { openpgp } from './peers/openpgp.ts';
import { virgil, virgilGroup } from './peers/virgil.ts';
import { plots } from './plots.ts';
import { differences, growths, tables } from './report.ts';
import { scenarios, type Result } from './scenarios.ts';

const FOLDER = join(import.meta.dirname, '../docs/performance');

const peers = {
  messages: [
    kept,
    first,
    noble,
    suite2,
    signatureAlone,
    primitivesAlone,
    floor,
    virgil,
    openpgp,
    libsodium,
    age,
    libsignal,
  ],
  pages: [kept, noble, signatureAlone, primitivesAlone, floor, virgil, openpgp, libsodium],
  sessions: [follower, virgilGroup, megolm(), libsignalGroup, mls],
  files: [ourFiles, sodiumFiles, floorFiles],
};

function tell(results: readonly Result[]): void {
  console.log(tables(results));
}

async function inNode(): Promise<Run> {
  const results: Result[] = [];
  for await (const more of scenarios(peers)) {
    results.push(...more);
    tell(more);
  }
  return { environment: `Node ${process.version}`, results };
}

function write(name: string, text: string): void {
  writeFileSync(join(FOLDER, name), text);
}

const megabytes = 150;
const memory = await heldByFile(megabytes);
const held = `While ${megabytes} MB are encrypted and decrypted as a stream, at most ${memory.toFixed(1)} MB are held beside it (Node ${process.version}).\n`;
const runs = [await inNode(), await inChromium(tell)];
const parts = runs.flatMap(({ environment, results }) => [
  `# ${environment}\n`,
  tables(results),
  growths(results),
]);
const all = [...peers.messages, ...peers.sessions, ...peers.files];
write('results.md', [...parts, '# Memory\n', held, differences(all)].join('\n'));
write('results.json', `${JSON.stringify(runs, null, 1)}\n`);
for (const [name, svg] of plots(runs)) write(name, svg);
console.log(held);
