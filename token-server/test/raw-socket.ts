import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterTest } from './support.ts';

/** A connection on which a test sends what it likes. */
export interface RawSocket {
  readonly socket: Socket;
  /** Everything that came so far. */
  readonly received: () => string;
  /** Resolves with the milliseconds until the other end closed it. */
  readonly closed: Promise<number>;
}

/** Connects to a port of this machine. */
export async function openSocket(port: number): Promise<RawSocket> {
  const socket = connect(port, 'localhost');
  afterTest(() => {
    socket.destroy();
  });
  let received = '';
  socket.on('data', (chunk) => (received += String(chunk)));
  // A connection that is reset is closed too.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const opened = performance.now();
  const closed = new Promise<number>((resolve) => {
    socket.once('close', () => {
      resolve(performance.now() - opened);
    });
  });
  return { socket, received: () => received, closed };
}
