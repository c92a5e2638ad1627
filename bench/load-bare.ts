/**
 * The other half of the ratios of `load.ts`: Express routes that read the same requests as JSON and answer
 * the same bytes, and do nothing else. `<path>/bytes` does not even make the JSON.
 */
import { readFileSync } from 'node:fs';
import express from 'express';
import { z } from 'zod';

const Answers = z.record(z.string(), z.object({ status: z.int(), body: z.unknown() }));

const app = express();
app.set('etag', false);
app.set('query parser', false);
app.disable('x-powered-by');
const file = process.argv[2] ?? '';
for (const [path, { status, body }] of Object.entries(
  Answers.parse(JSON.parse(readFileSync(file, 'utf8'))),
)) {
  const bytes = Buffer.from(JSON.stringify(body));
  const parser = express.json({ limit: '1mb' });
  app.all(path, parser, (_req, res) => {
    res.status(status).json(body);
  });
  app.all(`${path}/bytes`, parser, (_req, res) => {
    res.status(status).type('application/json').send(bytes);
  });
}
app.get('/ready', (_req, res) => {
  res.end();
});
const server = app.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
