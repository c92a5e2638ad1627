/**
 * Sends requests over connections that are kept, each connection the next one when it has its answer.
 * Sockets alone: a client of HTTP with all its comforts takes as long as a route that does nothing, and
 * that would be in both parts of every ratio.
 */
import { connect, type Socket } from 'node:net';

/** What came of it. */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds from the request to the end of its answer, of each request. */
  readonly latencies: readonly number[];
}

/** Where to send, how many at once, and for how long. */
export interface Drive {
  readonly ports: readonly number[];
  readonly connections: number;
  readonly milliseconds: number;
  /** The next request as it is sent; null when there are no more. */
  readonly next: () => Uint8Array | null;
}

/** Sends requests. Rejects when one is refused. */
export async function drive(given: Drive): Promise<Load> {
  const { ports, connections, milliseconds, next } = given;
  const open = Array.from({ length: connections }, (_, index) =>
    openConnection(ports[index % ports.length] ?? 0),
  );
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + milliseconds;
  try {
    await Promise.all(
      open.map(async (connection) => {
        for (let at = start; at < end;) {
          const request = next();
          if (request === null) return;
          await connection.send(request);
          const now = performance.now();
          latencies.push(now - at);
          at = now;
        }
      }),
    );
  } finally {
    for (const connection of open) connection.close();
  }
  const seconds = (performance.now() - start) / 1000;
  return { requests: latencies.length, seconds, latencies };
}

/** A request as it is sent. */
export function request(
  method: string,
  path: string,
  { headers, body }: { headers: Readonly<Record<string, string>>; body?: Uint8Array | undefined },
): Uint8Array {
  const all = {
    host: '127.0.0.1',
    ...headers,
    ...(body && { 'content-type': 'application/json', 'content-length': String(body.length) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  return body ? Buffer.concat([head, body]) : head;
}

interface Connection {
  /** Resolves when the whole answer is there. */
  send(request: Uint8Array): Promise<void>;
  close(): void;
}

function openConnection(port: number): Connection {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let waiting: PromiseWithResolvers<void> | undefined;
  let head = '';
  // Of the body; null before the head is read.
  let missing: number | null = null;
  socket.on('data', (chunk) => {
    if (missing === null) {
      // The head is ASCII: as many characters as bytes.
      head += chunk.toString('latin1');
      const at = head.indexOf('\r\n\r\n');
      if (at < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head.slice(0, at))?.[1] ?? 0);
      missing = at + 4 + length - head.length;
    } else {
      missing -= chunk.length;
    }
    if (missing > 0) return;
    const answered = waiting;
    const [answer] = [head];
    [head, missing] = ['', null];
    if (/^HTTP\/1\.1 2/.test(answer)) answered?.resolve();
    else answered?.reject(new Error(`A request was refused:\n${answer}`));
  });
  const fail = (): void => waiting?.reject(new Error('A connection was lost.'));
  socket.on('error', fail).on('close', fail);
  return {
    send(sent) {
      waiting = Promise.withResolvers();
      socket.write(sent);
      return waiting.promise;
    },
    close() {
      socket.destroy();
    },
  };
}
