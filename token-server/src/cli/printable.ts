/**
 * Text of others for a terminal: what could command it, or would not be seen as it is, stands there as
 * in a string of JSON, and JSON stays what it is. `JSON.stringify` escapes only the oldest commands.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    // Unit by unit: JSON writes what lies behind the first plane as two.
    Array.from({ length: character.length }, (_, at) => escaped(character.charCodeAt(at))).join(''),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
