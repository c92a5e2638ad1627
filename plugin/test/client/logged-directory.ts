/** A directory in memory, with the log behind it: approves whatever it is given. */
import type { Directory, LogAnswer } from 'twilio-chat-encryption';
import {
  approveCard,
  base64url,
  encodeHead,
  EncryptionError,
  exportCard,
  importCard,
  lookupToJson,
  type Card,
  type CardId,
  type CardSignature,
  type Identity,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { KeptLog } from '../protocol/log/kept-log.ts';
import { APP_KEY, LOG_KEY } from '../protocol/people.ts';

/** The pins of whoever uses it, as options have them. */
export const PINS: { readonly appKey: string; readonly logKey: string } = {
  appKey: base64url.encode(APP_KEY.publicKey),
  logKey: base64url.encode(LOG_KEY.publicKey),
};

export class LoggedDirectory implements Directory {
  readonly log: KeptLog;
  /** Its clock: milliseconds since 1970-01-01 UTC. */
  now: () => number = () => Date.now();
  readonly #appKey: SigningKey;
  readonly #published = new Map<CardId, Promise<string>>();

  constructor(
    appKey: SigningKey = APP_KEY,
    logKey: SigningKey = LOG_KEY,
    log: KeptLog = new KeptLog(logKey),
  ) {
    this.log = log;
    this.#appKey = appKey;
  }

  async publish(exported: string): Promise<string> {
    const card = await importCard(exported);
    const known = this.#published.get(card.id);
    if (known) return this.#endorsed(card, await known);
    const publishing = approveCard(card, this.#appKey, this.now()).then(async (approved) => {
      const content = exportCard(approved);
      const { identity, id: cardId } = card;
      await this.#inTurn(() =>
        this.log.append({ operation: 'approve', time: this.now(), identity, cardId, content }),
      );
      return content;
    });
    this.#published.set(card.id, publishing);
    return publishing;
  }

  /** The card as it was published, with the endorsements that are new. */
  async #endorsed(card: Card, published: string): Promise<string> {
    const { signatures, ...stored } = await importCard(published);
    const isKnown = ({ signature }: CardSignature): boolean =>
      signatures.some((one) => Buffer.compare(one.signature, signature) === 0);
    const added = card.signatures.filter((one) => one.signer === 'endorser' && !isKnown(one));
    if (added.length === 0) return published;
    const content = exportCard({ ...stored, signatures: [...signatures, ...added] });
    const { identity, id: cardId } = card;
    this.#published.set(cardId, Promise.resolve(content));
    await this.#inTurn(() =>
      this.log.append({ operation: 'approve', time: this.now(), identity, cardId, content }),
    );
    return content;
  }

  async revoke(cardId: CardId, content: string): Promise<void> {
    const published = await this.get(cardId);
    if (published === null)
      throw new EncryptionError('DIRECTORY_REFUSED', 'There is no such card.');
    const { identity } = await importCard(published);
    await this.#inTurn(() =>
      this.log.append({ operation: 'revoke', time: this.now(), identity, cardId, content }),
    );
  }

  get(id: CardId): Promise<string | null> {
    return this.#published.get(id) ?? Promise.resolve(null);
  }

  async lookup(identities: readonly Identity[], from: number): Promise<LogAnswer> {
    const { size } = this.log;
    const consistency = from > 0 && from < size ? await this.log.consistency(from, size) : [];
    return {
      head: base64url.encode(encodeHead(await this.log.head(this.now(), size))),
      lookup: lookupToJson(await this.log.lookup(identities, size)),
      consistency: consistency.map(base64url.encode),
    };
  }

  async lookupAt(identity: Identity, size: number): Promise<unknown> {
    this.#checkSize(size);
    return lookupToJson(await this.log.lookup([identity], size));
  }

  async consistency(from: number, to: number): Promise<readonly string[]> {
    this.#checkSize(to);
    return (await this.log.consistency(from, to)).map(base64url.encode);
  }

  #checkSize(size: number): void {
    if (size <= this.log.size) return;
    throw new EncryptionError('DIRECTORY_REFUSED', 'The log is not that large.');
  }

  #last: Promise<unknown> = Promise.resolve();

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
