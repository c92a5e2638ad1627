/**
 * A process that runs the servers for tests in Chromium: prints where they are, tells over HTTP what was
 * seen, and ends with its standard input.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seenBy } from './seen.ts';
import { startServers } from './servers.ts';

const { emulator, server, appKey, logKey } = await startServers();
const seen = createServer((_request, response) => {
  response.setHeader('access-control-allow-origin', '*');
  response.end(seenBy(emulator));
});
seen.listen(0, '127.0.0.1', () => {
  const { port } = seen.address() as AddressInfo;
  const { clientOptions } = emulator;
  const where = { server, appKey, logKey, clientOptions, seen: `http://127.0.0.1:${port}` };
  process.stdout.write(`${JSON.stringify(where)}\n`);
});
process.stdin.resume().on('end', () => process.exit());
