import { join } from 'node:path';
import express, { type RequestHandler } from 'express';
import { build, type Rolldown } from 'vite';
import type { PageSettings } from '../page/settings.ts';

/** A file of the built page. */
interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

const ROOT = join(import.meta.dirname, '../page');

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/**
 * Builds the page with its settings pinned into it, in memory: no folder is left behind, and two
 * demos on one machine do not overwrite each other's page.
 */
export async function buildPage(settings: PageSettings): Promise<RequestHandler> {
  const built = await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    // Whatever NODE_ENV this process has: JSX and React have to agree on one.
    oxc: { jsx: { runtime: 'automatic', development: false } },
    define: {
      'process.env.NODE_ENV': '"production"',
      global: 'globalThis',
      __PAGE_SETTINGS__: JSON.stringify(settings),
    },
    resolve: { conditions: ['twilio-chat-encryption-source', 'module', 'browser'] },
    build: {
      write: false,
      target: 'es2023',
      // Inlined files would be data: URLs, which the content security policy forbids.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 2000,
      reportCompressedSize: false,
    },
  });
  return serve(filesOf(built));
}

function filesOf(built: Awaited<ReturnType<typeof build>>): ReadonlyMap<string, PageFile> {
  const outputs = Array.isArray(built) ? built : 'output' in built ? [built] : [];
  return new Map(outputs.flatMap(({ output }) => output.map(fileOf)));
}

function fileOf(file: Rolldown.OutputChunk | Rolldown.OutputAsset): readonly [string, PageFile] {
  const extension = file.fileName.split('.').at(-1) ?? '';
  const type = TYPES[extension] ?? 'application/octet-stream';
  return [`/${file.fileName}`, { type, body: file.type === 'chunk' ? file.code : file.source }];
}

function serve(files: ReadonlyMap<string, PageFile>): RequestHandler {
  const router = express.Router();
  router.get(/.*/, (req, res, next) => {
    const path = req.path === '/' ? '/index.html' : req.path;
    const file = files.get(path);
    if (!file) {
      next();
      return;
    }
    // Names of built files contain a hash of their content; the page itself must stay fresh.
    const hashed = path.startsWith('/assets/');
    res.set('Cache-Control', hashed ? 'public, max-age=31536000, immutable' : 'no-store');
    res.type(file.type).send(Buffer.from(file.body));
  });
  return router;
}
