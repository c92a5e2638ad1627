import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

// Where Twilio's SDK connects to in its default region: everything goes over the socket but files,
// which are uploaded to one address and read from another.
const TWILIO = [
  'wss://tsock.us1.twilio.com',
  'https://mcs.us1.twilio.com',
  'https://media.us1.twilio.com',
];

/** Headers of the page: nothing runs, loads or connects but what the demo itself serves. */
export function securityHeaders(emulated: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        // Decrypted pictures are at blob: URLs, which only the page itself can make.
        'img-src': ["'self'", 'blob:'],
        'connect-src': emulated ? ["'self'", websocketOrigin] : ["'self'", ...TWILIO],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
        'require-trusted-types-for': ["'script'"],
      },
    },
    // The demo speaks http on this machine; whoever puts TLS before it adds this there.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
}

// In some browsers 'self' does not include the websocket of the same host.
function websocketOrigin({ headers }: IncomingMessage): string {
  const host = headers.host ?? '';
  return /^[\w.:[\]-]+$/.test(host) ? `ws://${host} wss://${host}` : "'self'";
}
