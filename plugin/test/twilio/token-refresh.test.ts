/** How often a token server is asked for a Twilio token, by a clock that the test sets. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { keepTokenFresh, type TokenHolder } from '../../src/twilio/core/token-refresh.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

/** A client and its token server. */
class Stage {
  readonly closing = new AbortController();
  /** When the server was asked: milliseconds since the start. */
  readonly asked: number[] = [];
  readonly tokens: string[] = [];
  answer: () => Promise<string> = () => Promise.resolve('token');
  onToken: () => void = () => undefined;
  readonly leave: () => void;
  readonly #start = Date.now();
  readonly #listeners: (() => void)[] = [];

  constructor(jitter: () => number = () => 1) {
    const raw: TokenHolder = {
      connectionState: 'connected',
      on: (_name, listener) => this.#listeners.push(listener),
      updateToken: (token) => {
        this.tokens.push(token);
        this.onToken();
        return Promise.resolve();
      },
    };
    const twilioToken = (): Promise<string> => {
      this.asked.push(Date.now() - this.#start);
      return this.answer();
    };
    const { signal: closed } = this.closing;
    this.leave = keepTokenFresh(raw, { twilioToken, closed }, jitter);
  }

  expire(): void {
    for (const listener of this.#listeners) listener();
  }
}

const away = (): Promise<string> => Promise.reject(new Error('away'));

describe('a token server that fails', () => {
  test('is asked ever more slowly, and twice a minute at most', async () => {
    const stage = new Stage();
    stage.answer = away;
    stage.expire();
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    const pauses = stage.asked.slice(1).map((at, index) => at - (stage.asked[index] ?? 0));
    expect(pauses.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000]);
    expect(new Set(pauses.slice(6))).toEqual(new Set([30_000]));
  });

  test('is not asked more often because the SDK tells more often', async () => {
    const stage = new Stage();
    stage.answer = away;
    for (let at = 0; at < 60; at += 1) {
      stage.expire();
      await vi.advanceTimersByTimeAsync(SECOND);
    }
    expect(stage.asked.length).toBeLessThan(9);
  });

  test('is asked by each client at another time', async () => {
    const stage = new Stage(() => 0);
    stage.answer = away;
    stage.expire();
    await vi.advanceTimersByTimeAsync(2 * SECOND);
    // Half of what it is at most.
    expect(stage.asked.slice(0, 4)).toEqual([0, 250, 750, 1750]);
  });

  test('gives a token as soon as it is back, and is left alone then', async () => {
    const stage = new Stage();
    stage.answer = away;
    stage.expire();
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    stage.answer = () => Promise.resolve('new');
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect(stage.tokens).toEqual(['new']);
    const { length } = stage.asked;
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(stage.asked).toHaveLength(length);
  });
});

test('tokens that are about to expire when they are new are not asked for all the time', async () => {
  const stage = new Stage();
  stage.onToken = () => {
    stage.expire();
  };
  stage.expire();
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(stage.asked.length).toBeGreaterThan(5);
  expect(stage.asked.length).toBeLessThan(20);
});

test('a token that runs out hours later is replaced at once', async () => {
  const stage = new Stage();
  stage.expire();
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  stage.expire();
  await vi.advanceTimersByTimeAsync(0);
  expect(stage.asked).toEqual([0, 60 * MINUTE]);
});

test.each<[string, (stage: Stage) => void]>([
  [
    'device is closed',
    ({ closing }) => {
      closing.abort();
    },
  ],
  [
    'client is shut down',
    ({ leave }) => {
      leave();
    },
  ],
])('when the %s, nobody is asked any more, and nothing waits', async (_what, end) => {
  const stage = new Stage();
  stage.answer = away;
  stage.expire();
  await vi.advanceTimersByTimeAsync(20 * SECOND);
  const { length } = stage.asked;
  end(stage);
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(stage.asked).toHaveLength(length);
});
