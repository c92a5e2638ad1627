import { text } from './json.ts';
import { failureOf, ServerFailure } from './server-failure.ts';

/** Who signs in. The secret is derived from the password, which never leaves the page. */
export interface Credentials {
  readonly identity: string;
  readonly authSecret: string;
}

interface Call {
  readonly body?: unknown;
  readonly session?: string;
}

const TIMEOUT_MILLISECONDS = 15_000;

/**
 * Calls the token server.
 * @throws ServerFailure
 */
export async function request(method: 'GET' | 'POST', path: string, call: Call): Promise<unknown> {
  const { body, session } = call;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(session !== undefined && { authorization: `Bearer ${session}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
  } catch {
    throw new ServerFailure('UNREACHABLE', 'The server did not answer.');
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw failureOf(response.status, answer);
  return answer;
}

/** Makes an account. */
export async function signUp(credentials: Credentials): Promise<void> {
  await request('POST', '/v1/accounts', { body: credentials });
}

/** Signs in; gives the session token. */
export async function signIn(credentials: Credentials): Promise<string> {
  const token = text(await request('POST', '/v1/sessions', { body: credentials }), 'token');
  if (token === undefined) throw new ServerFailure('UNREACHABLE', 'The answer has no session.');
  return token;
}
