import type { Identity, Lookup } from 'twilio-chat-encryption/protocol';
import { KeptLog, type NewEntry } from '../protocol/log/kept-log.ts';

/**
 * A log that follows from each of its states, and whose map does not: entries are taken out of it again,
 * and stay in the tree, where nobody looks who asks for somebody.
 */
export class ForgetfulLog extends KeptLog {
  /** From which size on an entry is not in the map any more. */
  readonly #gone = new Map<number, number>();
  #base: number | null = null;

  /** Adds an entry to the map as it was when the log had `base` entries, whatever came since. */
  async appendTo(base: number, entry: NewEntry): Promise<number> {
    for (let index = base; index < this.size; index += 1) {
      if (!this.#gone.has(index)) this.#gone.set(index, this.size + 1);
    }
    this.#base = base;
    try {
      return await this.append(entry);
    } finally {
      this.#base = null;
    }
  }

  override mapRoot(size?: number): ReturnType<KeptLog['mapRoot']> {
    return super.mapRoot(size ?? this.#base ?? this.size);
  }

  override async lookup(
    identities: readonly Identity[],
    size: number = this.size,
  ): Promise<Lookup> {
    const lookup = await super.lookup(identities, size);
    return {
      ...lookup,
      found: lookup.found.map((found, at) => ({
        ...found,
        entries: this.entries
          .slice(0, size)
          .filter((_, index) => size < (this.#gone.get(index) ?? Infinity))
          .filter(({ identity }) => identity === identities[at])
          .map(({ entry, content }) => ({ entry, content })),
      })),
    };
  }
}
