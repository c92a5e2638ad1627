import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import jwt from 'jsonwebtoken';
import { afterTest } from './support.ts';

/** A key of an issuer of tokens, and how it is published. */
export interface IssuerKey {
  readonly kid: string;
  readonly algorithm: jwt.Algorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Record<string, unknown>;
}

/** Makes a key; each takes a while, so tests share them. */
export function makeKey(kid: string, algorithm: 'RS256' | 'ES256' | 'ES384'): IssuerKey {
  const { privateKey, publicKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: algorithm === 'ES256' ? 'P-256' : 'P-384' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, privateKey, publicKey, jwk };
}

/** An issuer of tokens: an HTTP server with its keys. */
export interface Issuer {
  readonly url: string;
  /** The variables of a server that takes its tokens. */
  readonly env: Record<string, string>;
  /** What it answers: an object as JSON, text as it is, a number as the status, null never. */
  answer: object | string | number | null;
  /** How often it was asked. */
  asked: number;
  readonly stop: () => void;
}

/** Starts an issuer until the end of the test. */
export async function startIssuer(...keys: readonly IssuerKey[]): Promise<Issuer> {
  const server = createServer((_req, res) => {
    issuer.asked++;
    const { answer } = issuer;
    if (answer === null) return;
    if (typeof answer === 'number') res.writeHead(answer, { location: '/elsewhere' }).end();
    else res.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  afterTest(stop);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}/jwks.json`;
  const issuer: Issuer = {
    url,
    env: { AUTH: 'jwt', AUTH_JWKS_URL: url, AUTH_ISSUER: ISSUER, AUTH_AUDIENCE: AUDIENCE },
    answer: keySet(...keys),
    asked: 0,
    stop,
  };
  return issuer;
}

export const ISSUER = 'https://sign-in.example/';
export const AUDIENCE = 'https://chat.example';

/** What an issuer answers. */
export function keySet(...keys: readonly IssuerKey[]): object {
  return { keys: keys.map(({ jwk }) => jwk) };
}

/** The claims of a good token. */
export function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const iat = Math.floor(Date.now() / 1000);
  return { iss: ISSUER, aud: AUDIENCE, sub: 'alice', iat, exp: iat + 3600, ...changes };
}

/** A token. */
export function sign(
  { kid, algorithm, privateKey }: IssuerKey,
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): string {
  return jwt.sign(JSON.stringify(claims(changes)), privateKey, {
    algorithm,
    header: { alg: algorithm, kid, ...header },
    allowInvalidAsymmetricKeyTypes: true,
  });
}
