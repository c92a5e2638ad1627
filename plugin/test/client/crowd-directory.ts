/** A token server in a worker, as a page's directory. */
import { EncryptionError, type Directory } from 'twilio-chat-encryption';
import type { Answer, Question } from './crowd-directory-worker.ts';

/** The directory, with people in it who have cards. */
export interface CrowdDirectory {
  readonly directory: Directory;
  readonly pins: { readonly appKey: string; readonly logKey: string };
  close(): void;
}

/** @param count how many there are: `member 0`, `member 1` … */
export async function crowdDirectory(count: number): Promise<CrowdDirectory> {
  const worker = new Worker(new URL('crowd-directory-worker.ts', import.meta.url), {
    type: 'module',
  });
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.answer === 'failed') asked?.reject(new EncryptionError(data.code, 'It failed.'));
    else asked?.resolve(data);
  });

  let last = 0;
  function ask(question: Question): Promise<Answer> {
    last += 1;
    const asked = Promise.withResolvers<Answer>();
    waiting.set(last, asked);
    worker.postMessage({ id: last, question });
    return asked.promise;
  }

  const enrolled = await ask({ ask: 'enrol', count });
  if (enrolled.answer !== 'pins') throw new TypeError('It gave no pins.');
  const { appKey, logKey } = enrolled;
  return {
    pins: { appKey, logKey },
    directory: {
      async publish(card) {
        const answer = await ask({ ask: 'publish', card });
        return answer.answer === 'card' ? (answer.card ?? '') : '';
      },
      async lookup(identities, from) {
        const answer = await ask({ ask: 'lookup', identities, from });
        if (answer.answer === 'lookup') return answer.found;
        throw new TypeError('It gave no lookup.');
      },
      async lookupAt(identity, size) {
        const answer = await ask({ ask: 'lookupAt', identity, size });
        return answer.answer === 'lookupAt' ? answer.found : null;
      },
      async consistency(from, to) {
        const answer = await ask({ ask: 'consistency', from, to });
        return answer.answer === 'consistency' ? answer.hashes : [];
      },
      async get(card) {
        const answer = await ask({ ask: 'get', card });
        return answer.answer === 'card' ? answer.card : null;
      },
      revoke: () => Promise.reject(new EncryptionError('DIRECTORY_REFUSED', 'Not here.')),
    },
    close: () => {
      worker.terminate();
    },
  };
}
