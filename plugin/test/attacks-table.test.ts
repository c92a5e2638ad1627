/** docs/attacks.md names tests: they must exist, in the file that it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const rows = readFileSync(join(ROOT, 'docs/attacks.md'), 'utf8').matchAll(
  /^\| (?<attack>[^|]+?) +\| `(?<name>[^`]+)` +\| (?<file>\S+) +\|$/gm,
);
const named = [...rows].map(({ groups }) => groups ?? {});

test('the table has rows', () => {
  expect(named.length).toBeGreaterThan(60);
});

test.each(named)('$attack: $name', ({ name = '', file = '' }) => {
  const source = readFileSync(join(ROOT, file), 'utf8');
  expect(source).toContain(name);
});
