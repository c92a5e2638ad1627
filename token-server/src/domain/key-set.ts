import { createPublicKey, type KeyObject } from 'node:crypto';
import jwksRsa from 'jwks-rsa';
import { z } from 'zod';
import { ServerError } from './errors.ts';

/** The public keys that somebody publishes to check their tokens with (RFC 7517). */
export interface KeySet {
  /**
   * The key of this name, or null when there is none. A token without a name is of the only key.
   *
   * @throws ServerError `UNAVAILABLE` when that cannot be known now
   */
  find(kid: string | undefined, algorithm: string): Promise<KeyObject | null>;
}

/** How long keys are used without asking again, in milliseconds. A key that is removed works as long. */
const FRESH = 10 * 60_000;
/** How long when there is no answer: issuers have outages, and their keys hardly ever change. */
const KEPT = 60 * 60_000;
/** How long not to ask again for a key that was not there: anybody can make names up. */
const PAUSE = 30_000;
const PAUSE_AFTER_FAILURE = 5_000;

const TIMEOUT = 5_000;
/** Two thousand keys of 4096 bits. */
const MAX_BYTES = 2 ** 21;

const Document = z.object({ keys: z.array(z.unknown()) });
const Jwk = z.record(z.string(), z.unknown());

interface NamedKey {
  readonly kid: string | undefined;
  /** What it is for, where it says so. */
  readonly algorithm: string | undefined;
  readonly key: KeyObject;
}

/**
 * The keys at a URL. They are asked for as a whole, at most every 30 seconds, whatever the tokens
 * say: the library's own cache goes by the name of a key, so that invented names would use up its
 * limit and nobody would get the right ones.
 *
 * @param now - milliseconds since 1970
 */
export function createKeySet(url: string, now: () => number): KeySet {
  const client = jwksRsa({ jwksUri: url, fetcher: download, cache: false, rateLimit: false });
  let known: { readonly keys: readonly NamedKey[]; readonly at: number } | undefined;
  let failure: unknown;
  let askedAt = -Infinity;
  let pending: Promise<void> | undefined;

  async function ask(): Promise<void> {
    askedAt = now();
    try {
      const keys = (await client.getSigningKeys()).map(namedKey);
      known = { keys, at: askedAt };
      failure = undefined;
    } catch (error) {
      failure = error;
    }
  }

  function lookUp(kid: string | undefined, algorithm: string, age: number): KeyObject | null {
    return known && now() - known.at < age ? choose(known.keys, kid, algorithm) : null;
  }

  return {
    async find(kid, algorithm) {
      const fresh = lookUp(kid, algorithm, FRESH);
      if (fresh !== null) return fresh;
      const pause = failure === undefined ? PAUSE : PAUSE_AFTER_FAILURE;
      if (pending || now() - askedAt >= pause) {
        pending ??= ask().finally(() => {
          pending = undefined;
        });
        // Who failed to answer is asked again, and not waited for while a key goes on: a slow issuer
        // would make every request slow.
        const kept = failure === undefined ? null : lookUp(kid, algorithm, KEPT);
        if (kept !== null) return kept;
        await pending;
      }
      const key = lookUp(kid, algorithm, KEPT);
      if (key !== null || failure === undefined) return key;
      const message = 'The keys that tokens are checked with cannot be had now.';
      throw new ServerError('UNAVAILABLE', message, { cause: failure });
    },
  };
}

function choose(
  keys: readonly NamedKey[],
  kid: string | undefined,
  algorithm: string,
): KeyObject | null {
  if (kid === undefined && keys.length !== 1) return null;
  // Of two keys with one name, which is allowed, one may say that it is for something else.
  const found = keys.find(
    (one) =>
      (kid === undefined || one.kid === kid) &&
      (one.algorithm ?? algorithm) === algorithm &&
      suits(one.key, algorithm),
  );
  return found?.key ?? null;
}

const CURVES: ReadonlyMap<string, string> = new Map([
  ['ES256', 'prime256v1'],
  ['ES384', 'secp384r1'],
  ['ES512', 'secp521r1'],
]);

/** Whether it is a key of this algorithm, and no weak one: RFC 7518, 3.3 and 3.4. */
function suits({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, algorithm: string): boolean {
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'ec') return CURVES.get(algorithm) === namedCurve;
  return asymmetricKeyType === 'rsa' && /^[RP]S/.test(algorithm) && modulusLength >= 2048;
}

// A key may lack both, whatever the library's types say.
function namedKey(one: { kid?: string; alg?: string; getPublicKey(): string }): NamedKey {
  return { kid: one.kid, algorithm: one.alg, key: createPublicKey(one.getPublicKey()) };
}

/** In place of the library's own, which has no limit of length, and of time only between two bytes. */
async function download(url: string): Promise<{ keys: Record<string, unknown>[] }> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!response.ok) throw new Error(`The server of the keys answered ${response.status}.`);
  const { keys } = Document.parse(JSON.parse(await readAll(response)));
  return { keys: keys.map((key) => Jwk.safeParse(key).data ?? {}) };
}

async function readAll({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error('The server of the keys sends too much.');
  }
  return Buffer.concat(chunks).toString('utf8');
}
