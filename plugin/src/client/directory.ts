import { invalidArgument, kindOf } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import type { CardId } from '../protocol/identifiers.ts';
import { boundedText } from './bounded-text.ts';
import type { LogAnswer, LogSource } from './log-source.ts';

/** A backup as it is kept: nobody but its owner can open it. */
export interface StoredBackup {
  /** base64url, at most 256 KiB of bytes. */
  readonly backup: string;
  /** Names this very version of it. */
  readonly tag: string;
}

/** Where a person's backup is kept. */
export interface BackupStore {
  /** The backup of the person who is signed in, or null. */
  read(): Promise<StoredBackup | null>;
  /**
   * Writes a backup in place of the one with this tag; null: where none is.
   * @returns whether it was written: not if another one, or one at all, is there meanwhile
   */
  write(backup: string, tag: string | null): Promise<boolean>;
  /**
   * Removes the backup with this tag.
   * @returns whether it was removed: not if another one is there meanwhile
   */
  remove(tag: string): Promise<boolean>;
}

/**
 * Where cards are published and found. It is not trusted: whatever it answers is checked against
 * the pinned keys of the application and of the log. Cards travel in their exported form. Minor versions
 * may add methods that a directory can do without.
 */
export interface Directory extends LogSource {
  /**
   * Has this person's card approved and published; the same card again is no error. One that was
   * published before may have further endorsements.
   * @returns the card with the application's approval
   */
  publish(exportedCard: string): Promise<string>;
  /** The exported card of this id, or null when the directory has none. */
  get(id: CardId): Promise<string | null>;
  /** Has the revocation of this card of this person published; the same again is no error. */
  revoke(id: CardId, revocation: string): Promise<void>;
  /** Where backups are kept, if they are. */
  readonly backups?: BackupStore;
  /**
   * A new Twilio access token for this person, for a client whose own runs out. A directory without
   * leaves that to the application.
   */
  readonly twilioToken?: () => Promise<string>;
}

const TIMEOUT_MILLISECONDS = 15_000;
const MAX_ANSWER_BYTES = 17 * 2 ** 20;
const MAX_DETAIL_CHARACTERS = 200;
// What an HTTP header holds without being changed. Whatever else is not handed to fetch, whose errors
// quote it.
const TOKEN = /^[!-~](?:[ -~]*[!-~])?$/;

const BACKUP = 'v1/backup';

/** A request. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The directory of a token server.
 * @param server its URL, without a path of its own or with the one it is mounted at
 * @param authorize gives the person's session token; asked again, once, when it is refused
 * @throws EncryptionError `INVALID_ARGUMENT` for a URL that is not https (or local http), or has a
 * query, a fragment or somebody's credentials
 */
export function httpDirectory(server: string, authorize: () => Promise<string>): Directory {
  const base = parseServer(server);
  let token: Promise<string> | undefined;

  async function send(used: string, { method, path, body, headers }: Sent): Promise<Response> {
    try {
      return await fetch(new URL(path, base), {
        method,
        headers: {
          authorization: `Bearer ${used}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
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
    let given: unknown;
    try {
      given = await Promise.race([authorize(), timeUp()]);
    } catch (cause) {
      // Most likely it asked a server in vain, as a device does that is offline: it still opens.
      throw new EncryptionError(
        'DIRECTORY_UNREACHABLE',
        'authorize() gave no session token: it failed, or took longer than 15 seconds.',
        { cause },
      );
    }
    if (typeof given === 'string' && TOKEN.test(given)) return given;
    const what = typeof given === 'string' ? 'text that no HTTP header can hold' : kindOf(given);
    throw new EncryptionError(
      'UNAUTHORIZED',
      `authorize() must give the session token, a line of ASCII; what it gave is ${what}.`,
    );
  }

  async function respond(sent: Sent): Promise<Response> {
    const used = currentToken();
    const response = await send(await used, sent);
    if (response.status !== 401) return response;
    forget(used);
    return send(await currentToken(), sent);
  }

  /** @param absent the codes of refusals that say that there is none: null */
  async function request(sent: Sent, ...absent: readonly string[]): Promise<unknown> {
    return answerOf(await respond(sent), absent);
  }

  return {
    publish: async (card) =>
      readCard(await request({ method: 'POST', path: 'v1/cards', body: { card } })),
    async lookup(identities, from) {
      const body = { identities, from };
      return readAnswer(await request({ method: 'POST', path: 'v1/cards/search', body }));
    },
    async lookupAt(identity, size) {
      const query = new URLSearchParams({ identity, size: String(size) });
      const path = `v1/log/map?${String(query)}`;
      return member(await request({ method: 'GET', path }), 'lookup');
    },
    async consistency(from, to) {
      const path = `v1/log/consistency?from=${from}&to=${to}`;
      return readProof(await request({ method: 'GET', path }));
    },
    async get(id) {
      const answer = await request({ method: 'GET', path: `v1/cards/${id}` }, 'CARD_NOT_FOUND');
      return answer === null ? null : readCard(answer);
    },
    async revoke(id, revocation) {
      await request({ method: 'POST', path: `v1/cards/${id}/revocation`, body: { revocation } });
    },
    backups: {
      async read() {
        const response = await respond({ method: 'GET', path: BACKUP });
        const tag = response.headers.get('etag');
        const answer = await answerOf(response, ['BACKUP_NOT_FOUND']);
        if (answer === null) return null;
        const backup = member(answer, 'backup');
        if (typeof backup === 'string' && tag !== null) return { backup, tag };
        throw unexpected();
      },
      async write(backup, tag) {
        const headers = tag === null ? { 'if-none-match': '*' } : { 'if-match': tag };
        const sent = { method: 'PUT', path: BACKUP, body: { backup }, headers };
        return (await request(sent, 'PRECONDITION_FAILED')) !== null;
      },
      async remove(tag) {
        const sent = { method: 'DELETE', path: BACKUP, headers: { 'if-match': tag } };
        return (await request(sent, 'PRECONDITION_FAILED')) !== null;
      },
    },
    async twilioToken() {
      const token = member(await request({ method: 'GET', path: 'v1/twilio-token' }), 'token');
      if (typeof token === 'string') return token;
      throw unexpected();
    },
  };
}

async function answerOf(response: Response, absent: readonly string[]): Promise<unknown> {
  if (response.status === 204) return {};
  if (response.ok) return json(response);
  const problem = await json(response).catch(() => null);
  if (absent.some((code) => member(problem, 'code') === code)) return null;
  throw refusal(response.status, problem);
}

function parseServer(server: string): URL {
  const text = server.endsWith('/') ? server : `${server}/`;
  const url = URL.canParse(text) ? new URL(text) : null;
  // fetch takes no URL with credentials, and its error shows them.
  if (url && [url.username, url.password, url.search, url.hash].some(Boolean)) {
    throw invalidArgument(
      'server must be a URL without user, password, query and fragment: authorize gives the session.',
    );
  }
  const local = url && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url?.protocol === 'https:' || (local && url.protocol === 'http:')) return url;
  throw invalidArgument('server must be an https URL (http is for localhost only).');
}

/** Rejects when a request would have been given up. */
function timeUp(): Promise<never> {
  const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new DOMException('It took too long.', 'TimeoutError'));
    });
  });
}

async function json(response: Response): Promise<unknown> {
  const text = await boundedText(response, MAX_ANSWER_BYTES).catch((cause: unknown) => {
    throw new EncryptionError(
      'DIRECTORY_UNREACHABLE',
      'The answer of the token server broke off or was too long.',
      { cause },
    );
  });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Without the cause: engines quote the text, in which a token may be.
    throw new EncryptionError(
      'DIRECTORY_UNREACHABLE',
      'The answer is not JSON but, perhaps, a web page. Check that the server URL is the one of the token server; a network that asks to sign in first answers so, too.',
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
  const why = detail || 'It does not say why: check the server URL.';
  return new EncryptionError(
    'DIRECTORY_REFUSED',
    `The token server refused (status ${status}). ${why}`,
  );
}

function readCard(answer: unknown): string {
  const card = member(answer, 'card');
  if (typeof card === 'string') return card;
  throw unexpected();
}

// Whoever checks the proofs reads what is in them.
function readAnswer(answer: unknown): LogAnswer {
  const head = member(answer, 'head');
  if (typeof head !== 'string') throw unexpected();
  return { head, lookup: member(answer, 'lookup'), consistency: readProof(answer) };
}

function readProof(answer: unknown): readonly string[] {
  const proof = member(answer, 'consistency');
  if (!Array.isArray(proof)) throw unexpected();
  return proof.filter((hash) => typeof hash === 'string');
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
