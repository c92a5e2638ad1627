/** Whom messages are for, while the SDK's roster does not show yet what this device changed. */
import { beforeEach, expect, test, vi } from 'vitest';
import { ownRoster } from '../../src/twilio/core/roster.ts';
import type { PortMember } from '../../src/twilio/core/sdk.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const ALICE = { identity: 'alice', dateCreated: new Date(1) };
const BOB = { identity: 'bob', dateCreated: new Date(2) };
const BY_SMS = { identity: null, dateCreated: new Date(3) };

/** A roster that shows these, and changes when the test says so. */
function shown(...members: PortMember[]) {
  const listeners = new Set<(who: string | null) => void>();
  const roster = ownRoster({
    isJoined: () => true,
    members: () => Promise.resolve(members),
    watchMembers(_isMember, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  const identities = async () => (await roster.members()).map(({ identity }) => identity);
  return {
    roster,
    members,
    identities,
    listeners,
    tell: (who: string) => {
      for (const told of listeners) told(who);
    },
  };
}

test('somebody who was removed gets nothing, also when the roster never shows it', async () => {
  const { roster, identities } = shown(ALICE, BOB, BY_SMS);
  const removing = roster.removing('bob', () => Promise.resolve());
  await vi.advanceTimersByTimeAsync(5000);
  await removing;
  expect(await identities()).toEqual(['alice', null]);
});

test('and is a member again as soon as they were added again', async () => {
  const { roster, members, identities } = shown(ALICE, BOB);
  const removing = roster.removing('bob', () => Promise.resolve());
  await vi.advanceTimersByTimeAsync(5000);
  await removing;
  members.splice(1, 1, { ...BOB, dateCreated: new Date(4) });
  expect(await identities()).toEqual(['alice', 'bob']);
});

test('whom Twilio did not remove stays a member', async () => {
  const { roster, identities } = shown(ALICE, BOB);
  const removing = roster.removing('bob', () => Promise.reject(new Error('Forbidden')));
  await expect(removing).rejects.toThrow('Forbidden');
  expect(await identities()).toEqual(['alice', 'bob']);
});

test('adding somebody waits until the roster shows them, and for five seconds at most', async () => {
  const { roster, tell } = shown(ALICE);
  let isDone = false;
  const adding = roster.added('bob').then(() => {
    isDone = true;
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(isDone).toBe(false);
  tell('carol');
  await vi.advanceTimersByTimeAsync(0);
  expect(isDone).toBe(false);
  tell('bob');
  await vi.advanceTimersByTimeAsync(0);
  expect(isDone).toBe(true);
  await adding;
  expect(vi.getTimerCount()).toBe(0);
  const late = roster.added('dave');
  await vi.advanceTimersByTimeAsync(5000);
  await late;
});

test('however many watch who joins, the SDK is listened to once, and not for longer', () => {
  const { roster, listeners, tell } = shown(ALICE);
  const seen: string[] = [];
  const watch = (name: string) =>
    roster.watchMembers(true, (who) => seen.push(`${name} saw ${who}`));
  const ends = ['one', 'two'].map(watch);
  const leaving = roster.watchMembers(false, () => undefined);
  expect(listeners.size).toBe(2);
  leaving();
  ends[0]?.();
  ends[0]?.();
  tell('bob');
  expect(seen).toEqual(['two saw bob']);
  ends[1]?.();
  expect(listeners.size).toBe(0);
  const again = watch('three');
  expect(listeners.size).toBe(1);
  again();
  expect(listeners.size).toBe(0);
});
