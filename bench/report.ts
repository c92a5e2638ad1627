/** Results as tables of Markdown. */
import { growth } from './harness.ts';
import { BASES, type Result, type Scenario } from './scenarios.ts';

const UNITS: Readonly<Record<Scenario, string>> = {
  seal: 'recipients',
  open: 'recipients',
  'seal in a session': '',
  'open in a session': '',
  'page of 100': '',
  'import cards': 'cards',
  'encrypt a file': 'MB',
  'decrypt a file': 'MB',
};

function grouped<Key>(
  results: readonly Result[],
  keyOf: (result: Result) => Key,
): ReadonlyMap<Key, readonly Result[]> {
  return Map.groupBy(results, keyOf);
}

/** Microseconds in three digits, with their unit. */
export function duration(microseconds: number): string {
  const [value, unit] =
    microseconds < 1000
      ? [microseconds, 'µs']
      : microseconds < 1e6
        ? [microseconds / 1000, 'ms']
        : [microseconds / 1e6, 's'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}

/** One table for each scenario and size. */
export function tables(results: readonly Result[]): string {
  const titled = grouped(results, ({ scenario, size }) => titleOf(scenario, size));
  return Array.from(titled, ([title, rows]) => table(title, rows)).join('\n');
}

function titleOf(scenario: Scenario, size: number): string {
  const unit = UNITS[scenario];
  return unit === '' ? scenario : `${scenario}, ${size} ${unit}`;
}

function table(title: string, results: readonly Result[]): string {
  const base = results[0] ? BASES[results[0].scenario] : '';
  const lines = results.map(({ task, timing, faster }) => {
    const ratios = faster
      ? [faster.quiet, faster.median, ...faster.spread].map((each) => each.toPrecision(3))
      : [];
    const [quiet = '', median = '', low = '', high = ''] = ratios;
    const times = [
      duration(timing.median),
      duration(timing.p10),
      quiet,
      median,
      `${low} – ${high}`,
    ];
    return `| ${[task, ...times, timing.rounds].join(' | ')} |`;
  });
  return [
    `## ${title}`,
    '',
    `| | median | 10th percentile | × ${base}, of the 10th percentiles | median of the rounds | 10th – 90th percentile | rounds |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

/** How the costs grow: slopes on logarithmic scales, from the 10th percentiles. */
export function growths(results: readonly Result[]): string {
  const series = grouped(results, ({ scenario, task }) => `${scenario} | ${task}`);
  const lines = [...series].flatMap(([name, rows]) => {
    const largest = rows.slice(-3).map(({ size, timing }) => [size, timing.p10] as const);
    return largest.length < 3 ? [] : [`| ${name} | ${growth(largest).toFixed(2)} |`];
  });
  return [
    '## How the costs grow',
    '',
    'The slope at the three largest sizes, on logarithmic scales: 1 is linear, more is super-linear.',
    '',
    '| | | slope |',
    '| --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

/** What each one does less, or more. */
export function differences(
  peers: readonly { readonly name: string; readonly differs: string }[],
): string {
  const lines = peers.filter(({ differs }) => differs !== '');
  return [
    '# Differences',
    '',
    ...lines.map(({ name, differs }) => `- **${name}**: ${differs}`),
    '',
  ].join('\n');
}
