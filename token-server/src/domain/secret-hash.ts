import { scrypt, timingSafeEqual } from 'node:crypto';
import { createTurns } from './turns.ts';

/** Cost of scrypt: N, r and p of RFC 7914. */
export interface ScryptCost {
  /** log2 of N. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about 80 ms a try. The secret is itself the result of Argon2id on the device. */
export const DEFAULT_SCRYPT_COST: ScryptCost = { logN: 15, r: 8, p: 1 };

/**
 * Of the process, as what it spares is: the four threads that Node has for all of it. Signatures of cards
 * are checked on them too, and would wait behind every guess of everybody. The last one waits for about
 * 5 s, and one address alone has not that many tries.
 */
const turns = createTurns(2, 128);

const HASH_BYTES = 32;
const SALT_BYTES = 16;
const FORMAT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/;

/**
 * Hashes a secret for storage, as a PHC string that carries salt and cost.
 *
 * @param random - gives as many random bytes as it is asked for
 * @throws ServerError `UNAVAILABLE` when too many wait for a hash
 */
export async function hashSecret(
  secret: Uint8Array,
  cost: ScryptCost,
  random: (length: number) => Uint8Array,
): Promise<string> {
  const salt = Buffer.from(random(SALT_BYTES));
  const hash = await derive(secret, salt, cost);
  const parameters = `ln=${cost.logN},r=${cost.r},p=${cost.p}`;
  return `$scrypt$${parameters}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

/**
 * Compares a secret with a stored hash, in constant time once the hash is derived.
 *
 * @throws Error when the stored hash is damaged; that is never an answer to whoever signs in. ServerError
 *   `UNAVAILABLE` as {@link hashSecret}
 */
export async function secretMatches(secret: Uint8Array, stored: string): Promise<boolean> {
  const [, logN, r, p, salt, hash] = FORMAT.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('A stored secret hash is damaged');
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  const derived = await derive(secret, Buffer.from(salt, 'base64url'), cost);
  return timingSafeEqual(derived, Buffer.from(hash, 'base64url'));
}

function derive(secret: Uint8Array, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
  const N = 2 ** cost.logN;
  // Node's default ceiling of 32 MiB is just below what N = 2^15 with r = 8 needs.
  const options = { N, r: cost.r, p: cost.p, maxmem: 256 * N * cost.r };
  const work = () =>
    new Promise<Buffer>((resolve, reject) => {
      scrypt(secret, salt, HASH_BYTES, options, (error, key) => {
        if (error) reject(error);
        else resolve(key);
      });
    });
  return turns(work);
}
