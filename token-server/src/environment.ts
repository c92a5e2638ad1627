/** One variable that is missing or malformed. Holds no value: values may be secrets. */
export interface ConfigProblem {
  readonly name: string;
  readonly expected: string;
}

/** The environment is not one that the server can start with. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  /** All wrong variables, not just the first. */
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ name, expected }) => `  ${name}: ${expected}`);
    super(`The configuration is incomplete or wrong.\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/** Variables by their names, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;
