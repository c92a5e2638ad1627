/**
 * Measures tasks against one another. They take turns, round after round, in one run: a noisy machine
 * is then noisy for all of them, and what it does to a ratio cancels out. Runs in Node and in a page.
 */

/** What is measured. */
export interface Task {
  /** Before each run of {@link run}, not measured. A task that has it is never run in a row. */
  readonly before?: () => unknown;
  /** Measured until what it returns is settled. */
  readonly run: () => unknown;
}

/** Microseconds of one run, of each round. The same index is the same round in all tasks. */
export type Times = readonly number[];

/** What a task took, in microseconds. */
export interface Timing {
  readonly median: number;
  /** The 10th percentile: near to what a quiet machine would show. */
  readonly p10: number;
  readonly rounds: number;
}

/** How many times longer one task took than another. */
export interface Ratio {
  /** Of their 10th percentiles: of what a quiet machine would show. */
  readonly quiet: number;
  /** Round by round: the median of the ratios. */
  readonly median: number;
  /** The 10th and the 90th percentile of them. */
  readonly spread: readonly [low: number, high: number];
}

// A page's clock steps by 5 µs at best, and whoever comes next finds the caches full of another's data.
const SAMPLE_MICROSECONDS = 3000;
const WARM_UP_ROUNDS = 3;
const LONG_MICROSECONDS = 100_000;
const MIN_ROUNDS = 7;

interface Candidate {
  readonly name: string;
  readonly task: Task;
  /** How often it is run in a row for one sample. */
  readonly runs: number;
  readonly times: number[];
}

/**
 * Runs the tasks in turns.
 * @param tasks by name
 * @param milliseconds for all the tasks together; at least 7 rounds are run in any case
 * @returns by the same names
 */
export async function measure(
  tasks: Readonly<Record<string, Task>>,
  milliseconds: number,
): Promise<ReadonlyMap<string, Times>> {
  const candidates: Candidate[] = [];
  for (const [name, task] of Object.entries(tasks)) {
    candidates.push({ name, task, runs: await runsOfSample(task), times: [] });
  }
  const end = performance.now() + milliseconds;
  for (let round = 0; round < MIN_ROUNDS || performance.now() < end; round += 1) {
    // Another one begins each time: what one leaves to be collected is not always the same one's to bear.
    const first = round % candidates.length;
    for (const { task, runs, times } of [
      ...candidates.slice(first),
      ...candidates.slice(0, first),
    ]) {
      times.push(await sample(task, runs));
    }
  }
  return new Map(candidates.map(({ name, times }) => [name, times]));
}

/** Median and 10th percentile. */
export function timing(times: Times): Timing {
  return { median: quantile(times, 0.5), p10: quantile(times, 0.1), rounds: times.length };
}

/** How many times longer `slow` took than `fast`. */
export function ratio(slow: Times, fast: Times): Ratio {
  const ratios = slow.map((time, round) => time / (fast[round] ?? NaN));
  return {
    quiet: quantile(slow, 0.1) / quantile(fast, 0.1),
    median: quantile(ratios, 0.5),
    spread: [quantile(ratios, 0.1), quantile(ratios, 0.9)],
  };
}

/** The value that a share `q` of all values is not above. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))] ?? NaN;
}

/**
 * How a cost grows: the slope of a straight line through the points on logarithmic scales (least
 * squares). 0 is a constant cost, 1 a linear one; above 1 it is super-linear.
 */
export function growth(points: readonly (readonly [size: number, cost: number])[]): number {
  const logs = points.map(([size, cost]) => [Math.log(size), Math.log(cost)] as const);
  const mean = (index: 0 | 1): number =>
    logs.reduce((sum, point) => sum + point[index], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return covariance / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

/** How often a task is run in a row, so that the clock's steps do not matter. Warms it up, too. */
async function runsOfSample(task: Task): Promise<number> {
  let shortest = await sample(task, 1);
  // What takes long warms itself up.
  for (let round = 1; round < WARM_UP_ROUNDS && shortest < LONG_MICROSECONDS; round += 1) {
    shortest = Math.min(shortest, await sample(task, 1));
  }
  return task.before ? 1 : Math.max(1, Math.ceil(SAMPLE_MICROSECONDS / Math.max(shortest, 5)));
}

/** Microseconds of one of so many runs. */
async function sample(task: Task, runs: number): Promise<number> {
  await task.before?.();
  // One that is not measured, so that the data is in the caches again.
  if (runs > 1) await task.run();
  const start = performance.now();
  for (let run = 0; run < runs; run += 1) await task.run();
  return (1000 * (performance.now() - start)) / runs;
}
