/** What is too slow for `npm test`: `npm run test:bundlers`, which CI runs after it. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The servers of the tests run from source; the application has the packed package.
  ssr: {
    resolve: {
      conditions: ['twilio-chat-encryption-source', 'node', 'module', 'development|production'],
    },
  },
  test: {
    provide: { longRuns: false, vectorsFolder: null },
    include: ['plugin/test/consumers/*.ci.ts'],
    globalSetup: join(import.meta.dirname, 'pack.ts'),
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
