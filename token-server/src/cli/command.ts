/** Options of single commands. */
export interface CommandOptions {
  readonly json?: boolean;
  readonly reason?: string;
  readonly server?: string;
  readonly 'log-key'?: string;
  readonly 'app-key'?: readonly string[];
  readonly head?: readonly string[];
}

/** What a command was called with. */
export interface CommandCall {
  readonly envFile: string;
  /** What stands behind its name. */
  readonly words: readonly string[];
  readonly options: CommandOptions;
}

/** One command. */
export interface Command {
  /** How many words may stand behind its name: at least and at most. */
  readonly words: readonly [least: number, most: number];
  readonly options: readonly (keyof CommandOptions)[];
  readonly run: (call: CommandCall) => Promise<void>;
}

/** The command was called in a wrong way. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
