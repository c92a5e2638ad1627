import { expect, test } from 'vitest';
import { emitter } from '../../src/client/emitter.ts';

const listener = (told: string[]) => (event: string) => {
  told.push(event);
};

test('what happened before anybody listened is told once, when somebody does', async () => {
  const events = emitter<{ changed: string }>();
  events.emit('changed', 'early');
  const first: string[] = [];
  const second: string[] = [];
  events.on('changed', listener(first));
  // Not while it is being added.
  expect(first).toEqual([]);
  await Promise.resolve();
  events.on('changed', listener(second));
  await Promise.resolve();
  expect({ first, second }).toEqual({ first: ['early'], second: [] });
});

test('what happened while nobody listened any more is not told of later: it may be over', async () => {
  const events = emitter<{ changed: string }>();
  const first = listener([]);
  events.on('changed', first);
  await Promise.resolve();
  events.off('changed', first);
  events.emit('changed', 'between two screens');
  const told: string[] = [];
  events.on('changed', listener(told));
  events.emit('changed', 'now');
  await Promise.resolve();
  expect(told).toEqual(['now']);
});
