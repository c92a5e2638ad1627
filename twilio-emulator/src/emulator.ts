import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { createChat } from './chat/chat.ts';
import { chatRoutes } from './chat/routes.ts';
import { setOnline } from './chat/users.ts';
import { eventOf } from './chat/webhook-events.ts';
import { createClients, sendNotification, type Clients } from './clients.ts';
import { checkCredentials, type EmulatorConfig } from './config.ts';
import { watchTokens } from './expiry.ts';
import { createInspect, type Inspect } from './inspect.ts';
import { createInterceptors } from './interceptors.ts';
import { MAX_FRAME_BYTES } from './limits.ts';
import { createMediaHandler } from './media/handler.ts';
import type { HttpHandler } from './media/http.ts';
import { originFinder, type OriginOf } from './origin.ts';
import { createOperate, type Operate } from './operate.ts';
import { serve, type Service } from './protocol.ts';
import { createRecorder } from './recorder.ts';
import { syncRoutes } from './sync/routes.ts';
import { createSync } from './sync/store.ts';
import { createTamper, type Tamper } from './tamper.ts';
import { askWebhook } from './webhooks.ts';

/** Where clients connect. */
export const WEBSOCKET_PATH = '/v3/wsconnect';

/** A Twilio chat service in this process. */
export interface Emulator {
  /**
   * Takes the websocket upgrades of path `/v3/wsconnect` of an HTTP server, and nothing else: the
   * server can have an application of its own.
   */
  attach(server: Server): void;
  /**
   * Takes the uploads and downloads of media, which clients do over HTTP below
   * `/v1/Services/IS…/`, and leaves everything else to `next`: `app.use(emulator.serveMedia)` in
   * Express, before anything that reads bodies.
   */
  readonly serveMedia: HttpHandler;
  /** Cuts all connections and lets go of the servers. What was stored is gone. */
  close(): Promise<void>;
  /** Reads what is stored. */
  readonly inspect: Inspect;
  /** Changes what is stored and what is sent. */
  readonly tamper: Tamper;
  /** Does what the operator of the service does, and clients cannot. */
  readonly operate: Operate;
}

/** An emulator with nothing in it; clients reach it through the servers it is attached to. */
export function createEmulator(config: EmulatorConfig): Emulator {
  checkCredentials(config);
  const originOf = originFinder(config.publicUrl);
  const { service, serveMedia, inspect, tamper, operate } = createService(config, originOf);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  const servers = new Set<Server>();
  const stopWatching = watchTokens(service.clients, service.now);

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!isWebsocketPath(request.url)) return;
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      serve(service, websocket, originOf(request));
    });
  }

  return {
    inspect,
    tamper,
    operate,
    serveMedia,
    attach(server) {
      servers.add(server);
      server.on('upgrade', upgrade);
    },
    async close() {
      stopWatching();
      for (const server of servers) server.off('upgrade', upgrade);
      for (const websocket of sockets.clients) websocket.terminate();
      await new Promise<void>((resolve) => {
        sockets.close(() => {
          resolve();
        });
      });
    },
  };
}

function createService(
  config: EmulatorConfig,
  origin: OriginOf,
): {
  service: Service;
  serveMedia: HttpHandler;
  inspect: Inspect;
  tamper: Tamper;
  operate: Operate;
} {
  const { now = Date.now, webhooks } = config;
  const interceptors = createInterceptors();
  const recorder = createRecorder(config.record ?? 0);
  const sync = createSync(now);
  const clients: Clients = createClients((identity, online) => {
    setOnline(chat, identity, online);
  });
  const chat = createChat(sync, now, (identity, messageType, payload) => {
    for (const { link } of clients.of(identity)) sendNotification(link, messageType, payload);
  });
  const routes = [...chatRoutes(chat, config.serviceSid), ...syncRoutes(sync)];
  const service: Service = {
    config,
    now,
    routes,
    clients,
    interceptors,
    askFirst:
      webhooks &&
      (async (request) => {
        const { product = 'conversations' } = webhooks;
        const event = eventOf(chat, { ...config, product }, request);
        if (event !== null) await askWebhook(webhooks, event);
      }),
    recorder,
    forget(client) {
      for (const { subscribers } of sync.all()) subscribers.delete(client);
    },
  };
  return {
    service,
    serveMedia: createMediaHandler({ config, now, chat, interceptors, origin }),
    inspect: createInspect(chat, recorder),
    tamper: createTamper(chat, clients, interceptors),
    operate: createOperate(chat),
  };
}

/** Does an upgrade request ask for the websocket that the SDKs use? */
export function isWebsocketPath(url = ''): boolean {
  return url.split('?', 1)[0] === WEBSOCKET_PATH;
}
