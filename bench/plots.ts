/** Plots of the results, as SVG that follows the reader's light or dark. */
import type { Run } from './chromium.ts';
import { duration } from './report.ts';
import type { Result, Scenario } from './scenarios.ts';

const WIDTH = 760;
const LEFT = 70;
const RIGHT = 250;
const TOP = 40;
const HEIGHT = 360;
const ROW = 24;

// Of one lightness each, told apart also by those who do not see red and green alike (Okabe and Ito).
const COLOURS = 11;
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 15px; }
  .faint { fill: #6e7781; }
  .grid { stroke: #d0d7de; }
  .line { fill: none; stroke-width: 2; }
  ${[
    '#0072b2',
    '#56b4e9',
    '#8250df',
    '#6e7781',
    '#d55e00',
    '#e69f00',
    '#009e73',
    '#cc79a7',
    '#999933',
    '#b3261e',
    '#5c3d1e',
  ]
    .map(
      (colour, index) =>
        `.c${index} { stroke: ${colour}; fill: ${colour}; } .line.c${index} { fill: none; }`,
    )
    .join('\n  ')}
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint { fill: #8d96a0; }
    .grid { stroke: #30363d; }
    ${[
      '#4aa8e0',
      '#8fd0f5',
      '#b392f0',
      '#8d96a0',
      '#ff8c42',
      '#f2c14e',
      '#3fbf95',
      '#e6a5c9',
      '#c3c35b',
      '#ff6b6b',
      '#c9a27e',
    ]
      .map(
        (colour, index) =>
          `.c${index} { stroke: ${colour}; fill: ${colour}; } .line.c${index} { fill: none; }`,
      )
      .join('\n    ')}
  }
`;

function svg(height: number, label: string, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(label)}">`,
    `<style>${STYLE}</style>`,
    ...content,
    '</svg>',
    '',
  ].join('\n');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escape(words)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((each) => each.toFixed(1));
  return `<line class="grid" x1="${a}" y1="${b}" x2="${c}" y2="${d}"/>`;
}

/** Costs by size, both on logarithmic scales: one line for each task. */
function lines(title: string, results: readonly Result[]): string {
  const tasks = [...Map.groupBy(results, ({ task }) => task)];
  const costs = results.map(({ timing }) => timing.p10);
  const lowest = Math.floor(Math.log10(Math.min(...costs)));
  const highest = Math.ceil(Math.log10(Math.max(...costs)));
  const sizes = [...new Set(results.map(({ size }) => size))];
  const largest = Math.log10(Math.max(...sizes));
  const right = WIDTH - RIGHT;
  const bottom = TOP + HEIGHT;
  const x = (size: number): number => LEFT + (Math.log10(size) / largest) * (right - LEFT);
  const y = (cost: number): number =>
    bottom - ((Math.log10(cost) - lowest) / (highest - lowest)) * HEIGHT;
  const decades = Array.from(
    { length: highest - lowest + 1 },
    (_, index) => 10 ** (lowest + index),
  );
  return svg(bottom + 60, title, [
    text(LEFT, 22, title, 'class="title"'),
    ...decades.map((cost) => line(LEFT, y(cost), right, y(cost))),
    ...decades.map((cost) =>
      text(LEFT - 8, y(cost) + 4, duration(cost), 'class="faint" text-anchor="end"'),
    ),
    ...sizes.map((size) =>
      text(x(size), bottom + 20, String(size), 'class="faint" text-anchor="middle"'),
    ),
    text((LEFT + right) / 2, bottom + 42, 'recipients', 'class="faint" text-anchor="middle"'),
    ...tasks.flatMap(([task, rows], index) => {
      const points = rows.map(({ size, timing }) => [x(size), y(timing.p10)] as const);
      const path = points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
      const colour = `c${index % COLOURS}`;
      const at = TOP + 14 + index * 22;
      return [
        `<polyline class="line ${colour}" points="${path}"/>`,
        ...points.map(
          ([px, py]) =>
            `<circle class="${colour}" cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3"/>`,
        ),
        `<rect class="${colour}" x="${right + 20}" y="${at - 9}" width="10" height="10"/>`,
        text(right + 36, at, task),
      ];
    }),
  ]);
}

/** Costs as bars from the shortest to the longest. */
function bars(title: string, results: readonly Result[]): string {
  const sorted = results.toSorted((a, b) => a.timing.p10 - b.timing.p10);
  const longest = Math.max(...sorted.map(({ timing }) => timing.p10));
  const start = RIGHT;
  const scale = (WIDTH - start - 90) / longest;
  return svg(TOP + sorted.length * ROW + 12, title, [
    text(12, 22, title, 'class="title"'),
    ...sorted.flatMap(({ task, timing }, index) => {
      const y = TOP + index * ROW;
      const colour = task.startsWith('this library')
        ? 'c0'
        : task.startsWith('floor')
          ? 'c3'
          : 'c4';
      const width = Math.max(1, timing.p10 * scale);
      return [
        text(start - 8, y + 14, task, 'text-anchor="end"'),
        `<rect class="${colour}" x="${start}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 8}"/>`,
        text(start + width + 8, y + 14, duration(timing.p10), 'class="faint"'),
      ];
    }),
  ]);
}

/** All plots, by the names of their files. */
export function plots(runs: readonly Run[]): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const { environment, results } of runs) {
    const [where = ''] = environment.toLowerCase().split(' ');
    const of = (scenario: Scenario): readonly Result[] =>
      results.filter((result) => result.scenario === scenario);
    const titled = (what: string): string => `${what}, ${environment}`;
    all.set(`seal-${where}.svg`, lines(titled('Seal a message'), of('seal')));
    all.set(`open-${where}.svg`, lines(titled('Open a message'), of('open')));
    all.set(`page-${where}.svg`, bars(titled('A page of 100 of 10 senders'), of('page of 100')));
    const session = of('open in a session');
    all.set(`session-${where}.svg`, bars(titled('Open a message of a session'), session));
  }
  return all;
}
