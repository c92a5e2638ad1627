/** Checks of what was read from a key store: JSON of known shape, or damaged. */
import { parseCardId, type CardId } from '../protocol/identifiers.ts';

/** Whether a value is a `T`. */
export type Shape<T> = (value: unknown) => value is T;

/** Any text. */
export const isText: Shape<string> = (value) => typeof value === 'string';

/** True or false. */
export const isBoolean: Shape<boolean> = (value) => typeof value === 'boolean';

/** A number of something, 0 included. */
export const isCount: Shape<number> = (value): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

/** The id of a card. */
export const isCardId: Shape<CardId> = (value): value is CardId => {
  try {
    return isText(value) && parseCardId(value) === value;
  } catch {
    return false;
  }
};

/** An array of such elements. */
export function arrayOf<T>(isElement: Shape<T>): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(isElement);
}

/** Null, or such a value. */
export function nullOr<T>(isValue: Shape<T>): Shape<T | null> {
  return (value): value is T | null => value === null || isValue(value);
}

/** An object with these members; others are let be. */
export function objectOf<T extends object>(members: {
  readonly [Name in keyof T]-?: Shape<T[Name]>;
}): Shape<T> {
  return (value): value is T =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries<Shape<unknown>>(members).every(([name, isMember]) =>
      isMember(Reflect.get(value, name)),
    );
}
