import { EncryptionError } from '../errors.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import { boundedText } from './bounded-text.ts';

/**
 * Where cards are published and found. It is not trusted: whatever it answers is checked against
 * the pinned application keys. Cards travel in their exported form.
 */
export interface Directory {
  /**
   * Has this person's card approved and published; the same card again is no error.
   * @returns the card with the application's approval
   */
  publish(exportedCard: string): Promise<string>;
  /** The exported cards of each of these identities that has any. At most 1000 identities. */
  find(identities: readonly Identity[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The exported card of this id, or null when the directory has none. */
  get(id: CardId): Promise<string | null>;
}

const TIMEOUT_MILLISECONDS = 15_000;
const MAX_ANSWER_BYTES = 17 * 2 ** 20;
const MAX_DETAIL_CHARACTERS = 200;

/**
 * The directory of a token server.
 * @param server its URL, without a path of its own or with the one it is mounted at
 * @param authorize gives the person's session token; asked again, once, when it is refused
 * @throws EncryptionError `INVALID_ARGUMENT` for a URL that is not https (or local http)
 */
export function httpDirectory(server: string, authorize: () => Promise<string>): Directory {
  const base = parseServer(server);
  let token: Promise<string> | undefined;

  async function send(
    used: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Response> {
    try {
      return await fetch(new URL(path, base), {
        method,
        headers: {
          authorization: `Bearer ${used}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
    } catch (cause) {
      throw new EncryptionError('DIRECTORY_UNREACHABLE', 'The token server did not answer.', {
        cause,
      });
    }
  }

  // One for calls at once; asked for again by the first of them whose token was refused.
  function currentToken(): Promise<string> {
    if (token) return token;
    const asked = askForToken();
    token = asked;
    asked.catch(() => {
      forget(asked);
    });
    return asked;
  }

  function forget(used: Promise<string>): void {
    if (token === used) token = undefined;
  }

  async function askForToken(): Promise<string> {
    try {
      return await authorize();
    } catch (cause) {
      throw new EncryptionError('UNAUTHORIZED', 'authorize() gave no session token.', { cause });
    }
  }

  async function request(method: string, path: string, body?: unknown): Promise<unknown> {
    const used = currentToken();
    let response = await send(await used, method, path, body);
    if (response.status === 401) {
      forget(used);
      response = await send(await currentToken(), method, path, body);
    }
    if (response.ok) return json(response);
    const problem = await json(response).catch(() => null);
    if (response.status === 404 && member(problem, 'code') === 'CARD_NOT_FOUND') return null;
    throw refusal(response.status, problem);
  }

  return {
    publish: async (card) => readCard(await request('POST', 'v1/cards', { card })),
    async find(identities) {
      return readCards(await request('POST', 'v1/cards/search', { identities }));
    },
    async get(id) {
      const answer = await request('GET', `v1/cards/${id}`);
      return answer === null ? null : readCard(answer);
    },
  };
}

function parseServer(server: string): URL {
  const text = server.endsWith('/') ? server : `${server}/`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const local = url && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url?.protocol === 'https:' || (local && url.protocol === 'http:')) return url;
  throw new EncryptionError(
    'INVALID_ARGUMENT',
    'server must be an https URL (http is for localhost only).',
  );
}

async function json(response: Response): Promise<unknown> {
  try {
    return JSON.parse(await boundedText(response, MAX_ANSWER_BYTES)) as unknown;
  } catch (cause) {
    throw new EncryptionError(
      'DIRECTORY_UNREACHABLE',
      'The answer of the token server broke off, was too long or was not JSON.',
      { cause },
    );
  }
}

function refusal(status: number, problem: unknown): EncryptionError {
  if (status === 401) {
    return new EncryptionError('UNAUTHORIZED', 'The token server refused the session token.');
  }
  if (status >= 500 || status === 429) {
    return new EncryptionError(
      'DIRECTORY_UNREACHABLE',
      `The token server cannot answer now (status ${status}).`,
    );
  }
  const detail = [member(problem, 'code'), member(problem, 'detail')]
    .filter((part) => typeof part === 'string')
    .map((part) => part.replace(/\p{C}/gu, ' ').slice(0, MAX_DETAIL_CHARACTERS))
    .join(': ');
  return new EncryptionError(
    'DIRECTORY_REFUSED',
    `The token server refused (status ${status}). ${detail}`.trim(),
  );
}

function readCard(answer: unknown): string {
  const card = member(answer, 'card');
  if (typeof card === 'string') return card;
  throw unexpected();
}

function readCards(answer: unknown): ReadonlyMap<string, readonly string[]> {
  const cards = member(answer, 'cards');
  if (typeof cards !== 'object' || cards === null) throw unexpected();
  return new Map(
    Object.entries(cards).map(([identity, list]) => {
      if (!Array.isArray(list)) throw unexpected();
      return [identity, list.filter((card) => typeof card === 'string')] as const;
    }),
  );
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function unexpected(): EncryptionError {
  return new EncryptionError(
    'DIRECTORY_REFUSED',
    'The answer is not one of a token server. Check the server URL.',
  );
}
