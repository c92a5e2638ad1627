import { text } from './json.ts';

/** The token server, or Twilio at the start, did not do what was asked. */
export class ServerFailure extends Error {
  override readonly name = 'ServerFailure';
  /** `UNREACHABLE` and `TWILIO_UNREACHABLE` are the page's own, others are the token server's. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The failure that an answer of the token server reports. */
export function failureOf(status: number, problem: unknown): ServerFailure {
  const code = text(problem, 'code') ?? 'UNREACHABLE';
  return new ServerFailure(code, text(problem, 'detail') ?? `The server answered ${status}.`);
}
