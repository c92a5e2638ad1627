import { resolve as resolvePath } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { launchOptions } from './chromium.ts';
import { leave, serve } from './plugin/test/integration/serve-command.ts';

// What a worker, or a process that a test starts, compiled of the packages is there for all the others.
process.env['NODE_COMPILE_CACHE'] ??= resolvePath(import.meta.dirname, 'node_modules/.cache/node');

// The workspaces import one another from source: see "exports" in their package.json.
const conditions = ['twilio-chat-encryption-source'];
const resolve = { conditions: [...conditions, 'module', 'browser', 'development|production'] };
const ssr = {
  resolve: { conditions: [...conditions, 'node', 'module', 'development|production'] },
};

// A poll waits for an event that comes: how long that takes is the machine's affair.
const polls = { poll: { timeout: 15_000 } };

// LONG=1 runs the properties that look for accidents for as long as it takes to find rare ones.
// VECTORS_DIR names the folder of public test vectors, which browsers get from Vite.
const vectorsFolder = process.env['VECTORS_DIR'] ? resolvePath(process.env['VECTORS_DIR']) : null;
const provide = { longRuns: process.env['LONG'] === '1', vectorsFolder };

const databases = ['token-server/test/{store,postgres}*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Many tests wait for a server, a browser or a clock: with a worker for each core the cores are idle.
    maxWorkers: '150%',
    projects: [
      {
        ssr,
        test: {
          name: 'node',
          provide,
          expect: polls,
          include: ['*/test/**/*.test.ts'],
          exclude: [
            '**/*.chromium.test.ts',
            'plugin/test/consumers/**',
            ...databases,
            '**/node_modules/**',
          ],
        },
      },
      {
        // The server's store on SQLite, and on one PostgreSQL for all of them.
        ssr,
        test: {
          name: 'databases',
          provide,
          expect: polls,
          include: databases,
          globalSetup: 'token-server/test/postgres-setup.ts',
        },
      },
      {
        // Applications that have the package as npm would give it to them.
        ssr,
        test: {
          name: 'consumers',
          provide,
          expect: polls,
          include: ['plugin/test/consumers/*.test.ts'],
          globalSetup: 'plugin/test/consumers/pack.ts',
        },
      },
      {
        // The protocol on the curves of environments without WebCrypto's, and on noble's Argon2id.
        ssr,
        test: {
          name: 'noble',
          provide,
          setupFiles: ['plugin/test/without-webcrypto-curves.ts'],
          include: [
            'plugin/test/protocol/{card,envelope,attacks,sealed-*,suite-2,spec-vectors,spec-log}.anywhere.test.ts',
            'plugin/test/protocol/{key-record,login,spec-records}.anywhere.test.ts',
          ],
        },
      },
      {
        resolve,
        server: { fs: { allow: ['.', ...(vectorsFolder === null ? [] : [vectorsFolder])] } },
        test: {
          name: 'chromium',
          provide,
          expect: polls,
          include: ['plugin/test/**/*.{chromium,anywhere}.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: await launchOptions() }),
            instances: [{ browser: 'chromium' }],
            commands: { serve, leave },
          },
        },
      },
    ],
  },
});
