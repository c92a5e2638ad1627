/** A token server in a worker, with a crowd of people who have cards: what it computes is not the page's work. */
import type { LogAnswer } from 'twilio-chat-encryption';
import {
  createCard,
  curves,
  exportCard,
  isEncryptionError,
  parseIdentity,
  type CardId,
  type ErrorCode,
  type Identity,
} from 'twilio-chat-encryption/protocol';
import { random } from '../protocol/people.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

/** What a page asks. */
export type Question =
  | { readonly ask: 'enrol'; readonly count: number }
  | { readonly ask: 'publish'; readonly card: string }
  | { readonly ask: 'lookup'; readonly identities: readonly Identity[]; readonly from: number }
  | { readonly ask: 'lookupAt'; readonly identity: Identity; readonly size: number }
  | { readonly ask: 'consistency'; readonly from: number; readonly to: number }
  | { readonly ask: 'get'; readonly card: CardId };

type Found =
  | { readonly answer: 'pins'; readonly appKey: string; readonly logKey: string }
  | { readonly answer: 'card'; readonly card: string | null }
  | { readonly answer: 'lookup'; readonly found: LogAnswer }
  | { readonly answer: 'lookupAt'; readonly found: unknown }
  | { readonly answer: 'consistency'; readonly hashes: readonly string[] }
  | { readonly answer: 'failed'; readonly code: ErrorCode };

/** What it is answered. */
export type Answer = Found & { readonly id: number };

const directory = new LoggedDirectory();

async function answer(question: Question): Promise<Found> {
  switch (question.ask) {
    case 'enrol':
      await enrol(question.count);
      return { answer: 'pins', ...PINS };
    case 'publish':
      return { answer: 'card', card: await directory.publish(question.card) };
    case 'lookup': {
      const { identities, from } = question;
      return { answer: 'lookup', found: await directory.lookup(identities, from) };
    }
    case 'lookupAt': {
      const { identity, size } = question;
      return { answer: 'lookupAt', found: await directory.lookupAt(identity, size) };
    }
    case 'consistency': {
      const { from, to } = question;
      return { answer: 'consistency', hashes: await directory.consistency(from, to) };
    }
    case 'get':
      return { answer: 'card', card: await directory.get(question.card) };
  }
}

async function enrol(count: number): Promise<void> {
  const backEnd = await curves();
  for (let at = 0; at < count; at += 1) {
    const card = await createCard(
      { identity: parseIdentity(`member ${at}`), createdAt: Date.now() },
      await backEnd.importSigningKey(random(32)),
      await backEnd.importAgreementKey(random(32)),
    );
    await directory.publish(exportCard(card));
  }
}

function failed(error: unknown): Found {
  if (isEncryptionError(error)) return { answer: 'failed', code: error.code };
  throw error;
}

interface Asked {
  readonly id: number;
  readonly question: Question;
}

addEventListener('message', ({ data: { id, question } }: MessageEvent<Asked>) => {
  void answer(question)
    .catch(failed)
    .then((found) => {
      postMessage({ id, ...found } satisfies Answer);
    });
});
