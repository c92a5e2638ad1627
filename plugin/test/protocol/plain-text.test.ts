/** Which characters identities and names exclude: the page, the library and the decoder agree. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseIdentity } from 'twilio-chat-encryption/protocol';
import { isIdentity, isName } from '../../../spec/decoder/json.ts';
import { isPlainText } from '../../src/protocol/identifiers.ts';

const PAGE = await readFile(new URL('../../../spec/card.md', import.meta.url), 'utf8');
const ALL = Array.from({ length: 0x110000 }, (_, code) => code);

/** The code points in the table under a heading of the page. */
function listed(heading: string): Set<number> {
  const [, section = ''] = new RegExp(`### ${heading}\n(.*?)\n##`, 's').exec(PAGE) ?? [];
  const ranges = [...section.matchAll(/^\| (U\+.*?)\|/gm)].flatMap(([, cell = '']) => [
    ...cell.matchAll(/U\+([0-9A-F]+)(?:–([0-9A-F]+))?/g),
  ]);
  expect(ranges.length).toBeGreaterThan(5);
  const codes = new Set<number>();
  for (const [, first = '', last = first] of ranges) {
    for (let code = parseInt(first, 16); code <= parseInt(last, 16); code += 1) codes.add(code);
  }
  return codes;
}

const isPlaneEnd = (code: number): boolean => code % 0x10000 >= 0xfffe;
const names = listed('Names');
const identities = listed('Identities');

function isParsed(text: string): boolean {
  try {
    return parseIdentity(text) === text;
  } catch {
    return false;
  }
}

/** Those that are not as `expected`, few if many. */
function wrong(expected: (code: number) => boolean, found: (text: string) => boolean): string[] {
  const codes = ALL.filter((code) => found(`a${String.fromCodePoint(code)}b`) !== expected(code));
  return codes.slice(0, 20).map((code) => code.toString(16));
}

describe('of all code points', () => {
  const inNames = (code: number): boolean => !names.has(code) && !isPlaneEnd(code);
  const inIdentities = (code: number): boolean =>
    inNames(code) &&
    !identities.has(code) &&
    `a${String.fromCodePoint(code)}b`.normalize('NFC') === `a${String.fromCodePoint(code)}b`;

  test('names have those that the page does not list', () => {
    expect(wrong(inNames, isPlainText)).toEqual([]);
    expect(wrong(inNames, isName)).toEqual([]);
  });

  test('identities have those that the page does not list', () => {
    expect(wrong(inIdentities, isParsed)).toEqual([]);
    expect(wrong(inIdentities, isIdentity)).toEqual([]);
  });

  // The list is frozen: another version of Unicode may put other characters into these categories.
  test.runIf(process.versions['unicode'] === '17.0')(
    'the page lists for identities what Unicode 17.0 says is not seen',
    () => {
      const hidden =
        /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800]|(?! )\p{Zs}/u;
      const isListed = (code: number): boolean =>
        names.has(code) || identities.has(code) || isPlaneEnd(code);
      expect(wrong(isListed, (text) => hidden.test(text))).toEqual([]);
    },
  );
});
