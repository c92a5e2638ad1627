/** All files of vectors. */
import { cardVectors } from './cards.ts';
import { carrierVectors } from './carriers.ts';
import { contentVectors, paddingVectors } from './contents.ts';
import { logEntryVectors, logHeadVectors } from './log-entries.ts';
import { logHistoryVectors } from './log-histories.ts';
import { logLookupVectors } from './log-lookups.ts';
import { logMapVectors, logTreeVectors } from './log-proofs.ts';
import { mediaVectors } from './media.ts';
import { keyRecordVectors, loginVectors, stateRecordVectors } from './records.ts';
import { backupVectors, keyRingVectors } from './rings.ts';
import { cardLinkVectors, revocationVectors } from './revocations.ts';
import { safetyNumberVectors } from './safety-numbers.ts';
import { sealedDataVectors, sealedStreamVectors } from './sealed.ts';
import { editVectors, followerVectors, keyMessageVectors } from './sessions.ts';
import { suite2Vectors } from './suite-2.ts';
import type { VectorCase, VectorFile } from '../vector-files.ts';

/** The text of each file, by its name. */
export async function vectorFiles(): Promise<ReadonlyMap<string, string>> {
  const files: Readonly<Record<string, VectorFile<VectorCase>>> = {
    padding: paddingVectors(),
    content: contentVectors(),
    card: await cardVectors(),
    carrier: await carrierVectors(),
    'carrier-suite-2': await suite2Vectors(),
    'key-message': await keyMessageVectors(),
    follower: await followerVectors(),
    edit: await editVectors(),
    'sealed-data': await sealedDataVectors(),
    'sealed-stream': await sealedStreamVectors(),
    media: await mediaVectors(),
    'key-record': await keyRecordVectors(),
    'state-record': stateRecordVectors(),
    'key-ring': keyRingVectors(),
    backup: backupVectors(),
    login: await loginVectors(),
    'safety-number': await safetyNumberVectors(),
    revocation: await revocationVectors(),
    'card-links': await cardLinkVectors(),
    'log-entry': logEntryVectors(),
    'log-head': await logHeadVectors(),
    'log-map': await logMapVectors(),
    'log-tree': await logTreeVectors(),
    'log-history': await logHistoryVectors(),
    'log-lookup': await logLookupVectors(),
  };
  return new Map(
    Object.entries(files).map(([name, file]) => {
      const names = new Set(file.cases.map((one) => one.name));
      if (names.size < file.cases.length) throw new Error(`Two cases of ${name} have one name.`);
      return [`${name}.json`, `${JSON.stringify(file, null, 2)}\n`];
    }),
  );
}
