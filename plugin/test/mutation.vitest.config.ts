/** The tests that `npm run mutate` runs against each mutant of the protocol: those of bytes alone. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const source = join(import.meta.dirname, '../src');

export default defineConfig({
  // By path: the workspace's own link would lead to the sources that are not mutated.
  resolve: {
    alias: [
      {
        find: /^twilio-chat-encryption\/protocol$/,
        replacement: join(source, 'protocol/index.ts'),
      },
      { find: /^twilio-chat-encryption$/, replacement: join(source, 'index.ts') },
    ],
  },
  test: {
    provide: { longRuns: false, vectorsFolder: null },
    include: ['plugin/test/protocol/*.anywhere.test.ts'],
    // Argon2id takes its time by design: a thousand times over it would take the night.
    exclude: ['**/{vectors,spec-records,key-record,login}.anywhere.test.ts'],
    testTimeout: 30_000,
  },
});
