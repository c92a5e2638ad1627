import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** The address a request came to. */
export type OriginOf = (request: IncomingMessage) => string;

/** The public URL if there is one, without a slash at its end; else what the sender wrote. */
export function originFinder(publicUrl: string | undefined): OriginOf {
  if (publicUrl !== undefined) {
    const origin = new URL(publicUrl).href.replace(/\/+$/, '');
    return () => origin;
  }
  return ({ socket, headers }) => {
    const scheme = socket instanceof TLSSocket ? 'https' : 'http';
    return `${scheme}://${headers.host ?? 'localhost'}`;
  };
}
