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

/** Whether text can be shown as it is: nothing invisible, nothing that changes its direction. */
export function isPlain(text: string): boolean {
  const hidden = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
  return !hidden.test(text);
}

export function isIdentity(value: Json | undefined): value is string {
  return (
    isText(value, 256) &&
    isPlain(value) &&
    value.normalize('NFC') === value &&
    !/^ | $|\u2800/u.test(value) &&
    !/\p{Zs}/u.test(value.replaceAll(' ', ''))
  );
}

/** A well-formed text of 1 to `limit` UTF-16 units. */
export function isText(value: Json | undefined, limit: number): value is string {
  return (
    typeof value === 'string' && value.length >= 1 && value.length <= limit && value.isWellFormed()
  );
}
