import { decodeEntry, importCard, type CardId } from 'twilio-chat-encryption/protocol';
import { LoggedDirectory } from '../client/logged-directory.ts';
import { KeptLog } from '../protocol/log/kept-log.ts';
import { APP_KEY } from '../protocol/people.ts';
import type { Lie } from './lies.ts';

/** Another log, under the same key and with the same beginning. */
export class Fork extends LoggedDirectory {
  readonly #truth: LoggedDirectory;

  private constructor(truth: LoggedDirectory) {
    super(APP_KEY, truth.log.key, new KeptLog(truth.log.key));
    this.#truth = truth;
  }

  /** The log as it was when it had `size` entries. */
  static async of(truth: LoggedDirectory, size: number = truth.log.size): Promise<Fork> {
    const fork = new Fork(truth);
    for (const { identity, entry, content } of truth.log.entries.slice(0, size)) {
      const known = decodeEntry(entry);
      if (known) await fork.log.append({ ...known, identity, content });
    }
    return fork;
  }

  override async publish(exported: string): Promise<string> {
    const { id } = await importCard(exported);
    const logged = this.log.entries.find(({ entry }) => decodeEntry(entry)?.cardId === id);
    return logged?.content ?? super.publish(exported);
  }

  override async get(id: CardId): Promise<string | null> {
    return (await super.get(id)) ?? this.#truth.get(id);
  }
}

/** All is as in this log; what is published is in both. */
export function showing(fork: Fork): Lie {
  return (honest) => ({
    async publish(card) {
      await fork.publish(card);
      return honest.publish(card);
    },
    get: (id) => fork.get(id),
    lookup: (identities, from) => fork.lookup(identities, from),
    lookupAt: (identity, size) => fork.lookupAt(identity, size),
    consistency: (from, to) => fork.consistency(from, to),
  });
}
