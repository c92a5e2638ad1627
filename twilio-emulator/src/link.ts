import type { WebSocket } from 'ws';
import { encodeFrame } from './framing.ts';
import type { JsonRecord } from './json.ts';
import { newFrameId } from './sids.ts';

/** One websocket, seen as something that takes frames. */
export interface Link {
  /** Is it still of use? False from the moment either side says goodbye. */
  readonly open: () => boolean;
  /** Sends a frame with a JSON payload. */
  send(header: JsonRecord, payload?: object): void;
  /** Sends the client away with a reason. */
  goodbye(code: number, status: string, payload?: object): void;
  /** Cuts the connection as a broken network does. */
  readonly drop: () => void;
}

/** How long a client that was sent away may take to answer the websocket's closing. */
const GRACE_MS = 3_000;

/** A link over a connected websocket. */
export function createLink(socket: WebSocket): Link {
  let dismissed = false;

  function send(header: JsonRecord, payload?: object): void {
    if (socket.readyState !== socket.OPEN) return;
    const full = { id: newFrameId(), payload_type: 'application/json', ...header };
    socket.send(encodeFrame(full, payload === undefined ? '' : JSON.stringify(payload)));
  }

  return {
    open: () => !dismissed && socket.readyState === socket.OPEN,
    send,
    goodbye(code, status, payload) {
      if (dismissed) return;
      dismissed = true;
      send({ method: 'close', status: { code, status } }, payload);
      socket.close();
      const timer = setTimeout(() => {
        socket.terminate();
      }, GRACE_MS);
      socket.once('close', () => {
        clearTimeout(timer);
      });
    },
    drop() {
      dismissed = true;
      socket.terminate();
    },
  };
}
