/** Signing up and in at a token server, as an application's page does it. */

/** Asks the token server; with a body it is a POST. */
async function call(
  server: string,
  path: string,
  { body, session }: { readonly body?: unknown; readonly session?: string },
): Promise<unknown> {
  const response = await fetch(new URL(path, server), {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'content-type': 'application/json',
      ...(session !== undefined && { authorization: `Bearer ${session}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Signs up, and gives the session token. */
export async function signUp(
  server: string,
  identity: string,
  authSecret: string,
): Promise<string> {
  const body = { identity, authSecret };
  await call(server, '/v1/accounts', { body });
  return token(await call(server, '/v1/sessions', { body }));
}

/** The Twilio access token of who is signed in. */
export async function twilioToken(server: string, session: string): Promise<string> {
  return token(await call(server, '/v1/twilio-token', { session }));
}

function token(answer: unknown): string {
  if (typeof answer === 'object' && answer !== null && 'token' in answer) {
    if (typeof answer.token === 'string') return answer.token;
  }
  throw new Error('No token in the answer.');
}
