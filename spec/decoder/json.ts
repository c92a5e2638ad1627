/** Canonical JSON, and the texts in it: card.md "Canonical form", envelope.md "Content". */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/**
 * The value of canonical JSON, or undefined: writing it again as ECMAScript does must give the same
 * text. So no member occurs twice, no spelling is possible but one, and no space.
 */
export function canonical(text: string | null): Json | undefined {
  if (text === null) return undefined;
  try {
    const value = JSON.parse(text) as Json;
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The members of an object that are all among `names`, and in their order; otherwise null. */
export function members(
  value: Json | undefined,
  names: readonly string[],
): Readonly<Partial<Record<string, Json>>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const present = Object.keys(value);
  const expected = names.filter((name) => present.includes(name));
  const same = present.length === expected.length;
  return same && present.every((name, at) => name === expected[at]) ? value : null;
}

// card.md, "Names" and "Identities", without the ends of the planes.
const NOT_IN_NAMES =
  '0-1f 7f-9f 61c 200e-200f 202a-202e 2066-2069 2028-2029 206a-206f feff fff9-fffb d800-dfff fdd0-fdef';
const NOT_IN_IDENTITIES =
  'a0 1680 2000-200a 202f 205f 2800 3000 ad 34f 115f-1160 17b4-17b5 180b-180f 200b-200d 2060-2065 3164 ' +
  'fe00-fe0f ffa0 fff0-fff8 1bca0-1bca3 1d173-1d17a e0000-e0fff 600-605 6dd 70f 890-891 8e2 110bd 110cd ' +
  '13430-1343f e000-f8ff f0000-10ffff';

const namesExclude = setOf(NOT_IN_NAMES);
const identitiesExclude = setOf(`${NOT_IN_NAMES} ${NOT_IN_IDENTITIES}`);

function setOf(list: string): ReadonlySet<number> {
  const codes = new Set<number>();
  for (const range of list.split(' ')) {
    const [first = 0, last = first] = range.split('-').map((digits) => parseInt(digits, 16));
    for (let code = first; code <= last; code += 1) codes.add(code);
  }
  for (let plane = 0; plane <= 16; plane += 1) {
    codes.add(plane * 65_536 + 65_534);
    codes.add(plane * 65_536 + 65_535);
  }
  return codes;
}

function hasNone(text: string, codes: ReadonlySet<number>): boolean {
  for (const character of text) if (codes.has(character.codePointAt(0) ?? 0)) return false;
  return true;
}

/** A name of a device or file. */
export function isName(value: Json | undefined): value is string {
  return isText(value, 256) && hasNone(value, namesExclude);
}

export function isIdentity(value: Json | undefined): value is string {
  return (
    isText(value, 256) &&
    hasNone(value, identitiesExclude) &&
    !value.startsWith(' ') &&
    !value.endsWith(' ') &&
    value.normalize('NFC') === value
  );
}

/** A well-formed text of 1 to `limit` UTF-16 units. */
export function isText(value: Json | undefined, limit: number): value is string {
  return (
    typeof value === 'string' && value.length >= 1 && value.length <= limit && value.isWellFormed()
  );
}
