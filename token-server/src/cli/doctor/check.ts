/** What was looked at, and what was found. Holds no secret. */
export interface Check {
  /** A variable, or a part of the deployment. */
  readonly about: string;
  /** A warning is something to know; with what failed the server does not work, or not rightly. */
  readonly status: 'ok' | 'warning' | 'failed';
  readonly what: string;
  /** What to do. */
  readonly fix?: string;
}

export function ok(about: string, what: string): Check {
  return { about, status: 'ok', what };
}

export function warning(about: string, what: string, fix: string): Check {
  return { about, status: 'warning', what, fix };
}

export function failed(about: string, what: string, fix: string): Check {
  return { about, status: 'failed', what, fix };
}
