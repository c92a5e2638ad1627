/** What an application's listeners throw: it stops nothing of this library, and is not lost. */
import { afterEach, expect, test, vi } from 'vitest';
import { emitter } from '../../src/client/emitter.ts';
import { ReplayEmitter } from '../../src/twilio/core/replay-emitter.ts';

const reported: (() => void)[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  reported.length = 0;
});

function watch(): void {
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => {
    reported.push(task);
  });
}

const fails = (): void => {
  throw new Error('a mistake of the application');
};

test('of an event of the encryption: the next listener is told, and the error is uncaught', () => {
  const events = emitter<{ changed: string }>();
  const told: string[] = [];
  events.on('changed', fails);
  events.on('changed', (event) => told.push(event));
  watch();
  events.emit('changed', 'now');
  expect(told).toEqual(['now']);
  expect(reported).toHaveLength(1);
  expect(reported[0]).toThrow('a mistake of the application');
});

test('of an event of a wrapped object: likewise, also when it is told again', () => {
  const events = new ReplayEmitter(() => null);
  const told: string[] = [];
  events.on('messageAdded', fails);
  events.on('messageAdded', (message: string) => told.push(message));
  watch();
  events.emit('messageAdded', 'hello');
  events.onWithReplay('messageAdded', fails);
  expect(told).toEqual(['hello']);
  expect(reported).toHaveLength(2);
  for (const report of reported) expect(report).toThrow('a mistake of the application');
});
