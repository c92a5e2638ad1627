/** A directory as a token server has it behind HTTP, for who calls `fetch`. */
import type { Directory } from 'twilio-chat-encryption';
import { parseCardId, parseIdentity } from 'twilio-chat-encryption/protocol';

/** What a server answers to whatever is asked; gives null to answer as it should. */
export type Hostile = (honest: unknown, signal: AbortSignal) => Response | Promise<Response> | null;

export const SERVER = 'http://localhost:1';

/** Answers requests to the directory; hostile at times. */
export function served(directory: Directory, hostile: () => Hostile): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const answer = await answerOf(directory, request);
    return (await hostile()(answer, init?.signal ?? request.signal)) ?? Response.json(answer);
  };
}

async function answerOf(directory: Directory, request: Request): Promise<unknown> {
  const { pathname, searchParams } = new URL(request.url);
  const number = (name: string): number => Number(searchParams.get(name));
  const body = request.method === 'POST' ? membersOf(await request.json()) : {};
  const [, , , name = '', revocation] = pathname.split('/');
  switch (`${request.method} ${pathname.replace(name, '')}`) {
    case 'POST /v1/cards':
      return { card: await directory.publish(String(body['card'])) };
    case 'POST /v1/cards/': {
      if (name === 'search') return search(directory, body);
      await directory.revoke(parseCardId(name), String(revocation));
      return {};
    }
    case 'GET /v1/cards/':
      return { card: await directory.get(parseCardId(name)) };
    case 'GET /v1/log/': {
      if (name !== 'map') {
        return { consistency: await directory.consistency(number('from'), number('to')) };
      }
      const identity = parseIdentity(searchParams.get('identity') ?? '');
      return { lookup: await directory.lookupAt(identity, number('size')) };
    }
    default:
      throw new Error(`There is no ${request.url}.`);
  }
}

async function search(
  directory: Directory,
  { identities, from }: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const asked = Array.isArray(identities)
    ? identities.map((one) => parseIdentity(String(one)))
    : [];
  return directory.lookup(asked, Number(from));
}

/** The members of an object; none of what is no object. */
export function membersOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null ? Object.fromEntries(Object.entries(json)) : {};
}
