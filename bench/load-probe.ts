/** Loaded into a process before its program (`--import`): tells whoever started it what it has used. */
import type { Use } from './load/process.ts';

process.on('message', () => {
  // Twice: what the first one frees of the outside may free more.
  globalThis.gc?.();
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const use: Use = { cpu: (user + system) / 1e6, rss, heap: heapUsed + external };
  process.send?.(use);
});
// Or it would never end.
process.channel?.unref();
