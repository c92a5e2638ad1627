/** A member of an answer, if it is a string. Answers of servers are not what they should be. */
export function text(answer: unknown, name: string): string | undefined {
  const value = member(answer, name);
  return typeof value === 'string' ? value : undefined;
}

/** A member of an object, whatever it is. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
