/** Files by the names that Twilio gives them. */
import { expect, test } from 'vitest';
import { knownMedia } from '../../src/twilio/conversations/known-media.ts';
import { random } from '../protocol/people.ts';

const media = (sid: string) => ({ sid });

test('a file is known by its sid, however often its message is looked at', () => {
  const known = knownMedia();
  const [one, again] = [media('ME1'), media('ME1')];
  const file = { key: random(32), hash: random(32) };
  known.add(one, file);
  known.add(again, { ...file });
  expect(known.get('ME1')).toBe(again);
  expect(known.get('ME2')).toBeUndefined();
});

test.each(['hash', 'key'])('a sid of two files, by their %s, names none of them', (part) => {
  const known = knownMedia();
  const file = { key: random(32), hash: random(32) };
  known.add(media('ME1'), file);
  known.add(media('ME1'), { ...file, [part]: random(32) });
  expect(() => known.get('ME1')).toThrow(expect.objectContaining({ code: 'FILE_UNREACHABLE' }));
});
