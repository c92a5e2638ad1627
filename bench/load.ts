/**
 * `npm run bench:load`: what two servers on one PostgreSQL take for what clients ask, against two processes
 * with a bare Express route that reads the same requests and answers the same bytes. They take turns, round
 * after round. LONG=1 has a directory of 200 000 people; `--memory` sends an hour's worth of requests, and
 * looks at what stays; arguments beside it choose scenarios by what their names begin with.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { quantile } from './harness.ts';
import { drive, type Load } from './load/client.ts';
import { watchMemory } from './load/memory.ts';
import type { Running } from './load/process.ts';
import { scenarios, sent, type Ask, type Scenario } from './load/scenarios.ts';
import { startWorld, type BareAnswer, type World } from './load/world.ts';

const PEOPLE = process.env['LONG'] === '1' ? 200_000 : 20_000;
const ROUNDS = 9;
const MILLISECONDS = 1500;

/** What one side took in one round. */
interface Round extends Load {
  /** Seconds of processor time of both processes. */
  readonly cpu: number;
}

/** One side: two processes, and how they are asked. */
interface Side {
  readonly name: string;
  readonly processes: readonly Running[];
  readonly bytesOf: (ask: Ask) => Uint8Array;
  readonly rounds: Round[];
}

async function cpuOf(processes: readonly Running[]): Promise<number> {
  const uses = await Promise.all(processes.map((one) => one.use()));
  return uses.reduce((sum, { cpu }) => sum + cpu, 0);
}

async function runRound({ prepare, next, connections }: Scenario, side: Side): Promise<Round> {
  const { processes, bytesOf } = side;
  await prepare?.();
  const before = await cpuOf(processes);
  const load = await drive({
    ports: processes.map(({ port }) => port),
    connections,
    milliseconds: MILLISECONDS,
    next() {
      const ask = next();
      return ask && bytesOf(ask);
    },
  });
  return { ...load, cpu: (await cpuOf(processes)) - before };
}

/** What a server answers to each scenario once. */
async function answersOf(
  all: readonly Scenario[],
  [server]: readonly Running[],
): Promise<Record<string, BareAnswer>> {
  const answers: Record<string, BareAnswer> = {};
  for (const { name, prepare, next } of all) {
    await prepare?.();
    const ask = next();
    if (!ask || !server) throw new Error('There is nothing to ask.');
    const { method, path, headers, body } = ask;
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: Uint8Array.from(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
    const answer: unknown = await response.json();
    answers[pathOf(name)] = { status: response.status, body: answer };
  }
  return answers;
}

function pathOf(name: string): string {
  return `/${name.replaceAll(/\W+/g, '-')}`;
}

async function measureAll(world: World, all: readonly Scenario[]): Promise<void> {
  const answers = await answersOf(all, world.servers);
  const bare = await world.startBare(answers);
  console.log(`${PEOPLE} people, ${availableParallelism()} cores, Node ${process.version}\n`);
  for (const scenario of all) {
    const path = pathOf(scenario.name);
    const side = (name: string, processes: readonly Running[], other?: string): Side => ({
      name,
      processes,
      bytesOf: (ask) => sent(ask, other),
      rounds: [],
    });
    const sides = [
      side('server', world.servers),
      side('bare', bare, path),
      side('bare, of bytes', bare, `${path}/bytes`),
    ];
    // The first one warms up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const one of round % 2 === 0 ? sides : sides.toReversed()) {
        const took = await runRound(scenario, one);
        if (round > 0) one.rounds.push(took);
      }
    }
    const size = JSON.stringify(answers[path]?.body).length;
    print(scenario, size, sides);
  }
}

function print({ name, connections }: Scenario, size: number, sides: readonly Side[]): void {
  console.log(`${name}: answers of ${size} bytes, ${connections} at once`);
  const [server] = sides;
  for (const side of sides) {
    const { rounds } = side;
    const throughputs = rounds.map(({ requests, seconds }) => requests / seconds);
    const latencies = rounds.flatMap((round) => round.latencies);
    const cpus = rounds.map(({ cpu, requests }) => (cpu / requests) * 1000);
    console.log(
      side.name.padEnd(16),
      `${digits(quantile(throughputs, 0.5))}/s`.padStart(10),
      `${digits(quantile(latencies, 0.5))} ms`.padStart(10),
      `p99 ${digits(quantile(latencies, 0.99))} ms`.padStart(13),
      `${digits(quantile(cpus, 0.5))} ms of processor`.padStart(24),
    );
  }
  for (const other of sides.slice(1)) {
    if (server) printRatios(server.rounds, other);
  }
  console.log();
}

/** Round by round: the median, and from the 10th to the 90th percentile. */
function printRatios(server: readonly Round[], { name, rounds }: Side): void {
  const measures: Readonly<Record<string, (round: Round) => number>> = {
    time: ({ requests, seconds }) => seconds / requests,
    median: ({ latencies }) => quantile(latencies, 0.5),
    p99: ({ latencies }) => quantile(latencies, 0.99),
    processor: ({ cpu, requests }) => cpu / requests,
  };
  const texts = Object.entries(measures).map(([measure, of]) => {
    const ratios = server.map((round, index) => {
      const other = rounds[index];
      return other ? of(round) / of(other) : NaN;
    });
    const [low, middle, high] = [0.1, 0.5, 0.9].map((q) => digits(quantile(ratios, q)));
    return `${measure} ${middle} (${low} – ${high})`;
  });
  console.log(`× ${name}: ${texts.join(', ')}`);
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}

const { values, positionals } = parseArgs({
  options: { memory: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const world = await startWorld(PEOPLE, values.memory ? ['--expose-gc'] : []);
try {
  const all = await scenarios(world);
  const chosen = all.filter(
    ({ name }) => positionals.length === 0 || positionals.some((one) => name.startsWith(one)),
  );
  await (values.memory ? watchMemory(world, chosen) : measureAll(world, chosen));
} finally {
  await world.stop();
}
