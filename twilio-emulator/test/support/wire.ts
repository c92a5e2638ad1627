import { once } from 'node:events';
import { WebSocket, type RawData } from 'ws';
import { decodeFrame, encodeFrame, type Frame } from '../../src/framing.ts';
import { isRecord, parseJson, type JsonRecord } from '../../src/json.ts';
import type { RunningEmulator } from '../../src/index.ts';

/** A client that says on the wire exactly what a test wants it to say. */
export interface RawClient {
  readonly socket: WebSocket;
  /** Sends a frame and waits for the reply to it. */
  readonly ask: (header: JsonRecord, payload?: string) => Promise<Frame>;
  /** Sends an HTTP-like request and waits for its answer. */
  readonly request: (
    method: string,
    path: string,
    body?: unknown,
    params?: Record<string, string>,
  ) => Promise<{ status: number; body: unknown }>;
  /** The next frame of this method. */
  readonly frame: (method: string) => Promise<Frame>;
}

/** Opens a websocket to the emulator; it ends with the emulator. */
export async function openRaw(emulator: RunningEmulator): Promise<RawClient> {
  const socket = new WebSocket(emulator.clientOptions.Twilsock.uri);
  await once(socket, 'open');
  let count = 0;

  const waitFor = (fits: (header: JsonRecord) => boolean): Promise<Frame> =>
    new Promise((resolve, reject) => {
      const listener = (data: RawData): void => {
        const frame = Buffer.isBuffer(data) ? decodeFrame(data) : null;
        if (frame === null || !fits(frame.header)) return;
        socket.off('message', listener).off('close', close);
        resolve(frame);
      };
      const close = (): void => {
        reject(new Error('closed'));
      };
      socket.on('message', listener).on('close', close);
    });

  const ask = (header: JsonRecord, payload = ''): Promise<Frame> => {
    const id = `TM${++count}`;
    const reply = waitFor((got) => got['method'] === 'reply' && got['id'] === id);
    socket.send(encodeFrame({ id, ...header }, payload));
    return reply;
  };

  return {
    socket,
    ask,
    frame: (method) => waitFor((header) => header['method'] === method),
    async request(method, path, body, params = {}) {
      const http_request = { host: 'any', method, path, params, headers: {} };
      const payload = body === undefined ? '' : JSON.stringify(body);
      const frame = await ask({ method: 'message', http_request }, payload);
      const status = frame.header['http_status'];
      return {
        status: isRecord(status) ? Number(status['code']) : NaN,
        body: parseJson(frame.payload),
      };
    },
  };
}

/** Opens a websocket and introduces itself with a token. */
export async function connectRaw(emulator: RunningEmulator, token: string): Promise<RawClient> {
  const client = await openRaw(emulator);
  await client.ask({ method: 'init', token });
  return client;
}
