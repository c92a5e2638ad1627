import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { z } from 'zod';
import { openStore, type Store } from '../src/index.ts';
import { afterTest } from './support.ts';

/** A store in memory that counts how often an account was looked at outside of transactions. */
export async function openWatched(): Promise<{ store: Store; reads: () => number }> {
  const { store } = await openStore('sqlite::memory:');
  afterTest(() => store.close());
  let reads = 0;
  const watched: Store = {
    ...store,
    findAccount(identity) {
      reads++;
      return store.findAccount(identity);
    },
  };
  return { store: watched, reads: () => reads };
}

/** What is sent, with its JSON. */
interface SlowRequest {
  readonly method: string;
  readonly path: string;
  readonly session: string;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

const Status = z.tuple([z.object({ statusCode: z.int() })]);

/** Sends half of a request. What it gives sends the rest, and tells the status of the answer. */
export function sendHalf(url: string, sent: SlowRequest): () => Promise<number> {
  const body = JSON.stringify(sent.body);
  const request = httpRequest(url + sent.path, {
    method: sent.method,
    headers: {
      authorization: `Bearer ${sent.session}`,
      'content-type': 'application/json',
      'content-length': body.length,
      ...sent.headers,
    },
  });
  afterTest(() => {
    request.destroy();
  });
  const answered = once(request, 'response');
  request.write(body.slice(0, 20));
  return async () => {
    request.end(body.slice(20));
    const [response] = Status.parse(await answered);
    return response.statusCode;
  };
}
