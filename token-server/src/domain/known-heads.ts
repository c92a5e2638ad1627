import type { Bytes, LogHead } from 'twilio-chat-encryption/protocol';
import type { Report } from './findings.ts';

/** What a log is, up to some entry. */
interface Grown {
  readonly size: number;
  root(): Promise<Bytes>;
}

/** Heads of a log that somebody has seen: whatever the log has become, they are part of its past. */
export class KnownHeads {
  readonly #heads: ReadonlyMap<number, readonly LogHead[]>;
  readonly #report: Report;

  /** @param heads - whose signatures were checked */
  constructor(heads: readonly LogHead[], report: Report) {
    this.#heads = Map.groupBy(heads, ({ size }) => size);
    this.#report = report;
  }

  /** Compares the log that grew to a size with the heads of that size. */
  async compare(log: Grown): Promise<void> {
    const heads = this.#heads.get(log.size) ?? [];
    if (heads.length === 0) return;
    const root = await log.root();
    const wrong = heads.filter((head) => Buffer.compare(head.root, root) !== 0);
    if (wrong.length > 0) this.#say(log.size, 'It is of another log: its root is another.');
  }

  /** The log has no more entries than these. */
  end(size: number): void {
    for (const known of this.#heads.keys()) {
      if (known > size) this.#say(known, `The log has only ${size} entries.`);
    }
  }

  #say(size: number, what: string): void {
    this.#report({ where: `the head of ${size} entries`, what });
  }
}
