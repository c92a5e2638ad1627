import { z } from 'zod';
import type { LoggedLeaf } from '../domain/log.ts';
import { UsageError } from './command.ts';

/** The log of a server, as it answers over HTTP. Nothing of it is checked but its form. */
export interface RemoteLog {
  head(): Promise<string>;
  readonly entries: (start: number, end: number) => Promise<readonly LoggedLeaf[]>;
}

const TIMEOUT_MILLISECONDS = 30_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_WAIT_SECONDS = 120;
const MAX_TRIES = 5;

const Head = z.object({ head: z.string() });
const Entries = z.object({
  entries: z.array(z.object({ entry: z.string(), mapRoot: z.string() })),
});

/**
 * The log of a server.
 *
 * @param server - its URL
 * @param session - from `POST /v1/sessions`
 */
export function remoteLog(server: string, session: string): RemoteLog {
  const base = parseServer(server);
  if (!/^[\w.-]+$/.test(session)) {
    throw new UsageError('SESSION in the environment must be a session of the server.');
  }
  const ask = (path: string): Promise<unknown> => askPatiently(new URL(path, base), session);
  return {
    head: async () => Head.parse(await ask('v1/log/head')).head,
    entries: async (start, end) =>
      Entries.parse(await ask(`v1/log/entries?start=${start}&end=${end}`)).entries,
  };
}

function parseServer(server: string): URL {
  const text = server.endsWith('/') ? server : `${server}/`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLocal = url !== null && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  // The session goes along.
  if (url?.protocol === 'https:' || (isLocal && url.protocol === 'http:')) return url;
  throw new UsageError('--server is an https URL; http is for localhost only.');
}

/** A large log takes more requests than a server answers at once: waits as long as it says. */
async function askPatiently(url: URL, session: string): Promise<unknown> {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${session}` },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    const body = jsonOf(await boundedText(response));
    if (response.ok && body !== undefined) return body;
    if (response.ok) throw new Error('The answer of the server is no JSON.');
    const { success, data } = z.object({ code: z.string().regex(/^\w{1,64}$/) }).safeParse(body);
    const code = success ? data.code : '';
    // A server that is to be audited could put it off for ever.
    if (code !== 'RATE_LIMITED' || tries === MAX_TRIES) {
      throw new Error(`The server refused: ${response.status} ${code}`);
    }
    const seconds = Number(response.headers.get('retry-after'));
    await wait(Math.min(Math.max(1, seconds || 1), MAX_WAIT_SECONDS));
  }
}

/** Undefined for what is none. The error would quote it, and so bring it to the terminal. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) throw new Error('The answer of the server is too long.');
  }
  return text + decoder.decode();
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
}
