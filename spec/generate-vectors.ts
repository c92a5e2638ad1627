/**
 * Writes `vectors/*.json`, the same bytes in every run:
 *
 *     node --conditions=twilio-chat-encryption-source spec/generate-vectors.ts
 *
 * Vectors are frozen once they are published: cases may be added, none may change.
 */
import { writeFile } from 'node:fs/promises';
import { vectorFiles } from './generate/files.ts';

for (const [name, text] of await vectorFiles()) {
  await writeFile(new URL(`vectors/${name}`, import.meta.url), text);
}
