/** What stays in the memory of the servers, while they are asked what they are asked in an hour. */
import { drive } from './client.ts';
import { sent, type Scenario } from './scenarios.ts';
import type { World } from './world.ts';

/** In an hour, of people who each look 1000 others up, publish a card now and then, and so on. */
const SHARES: readonly (readonly [name: string, requests: number])[] = [
  ['head', 40_000],
  ['Twilio token', 20_000],
  ['search of 1', 50_000],
  ['search of 1000, one channel', 2_000],
  ['search of 1000, anybody', 1_000],
  ['card publishing', 8_000],
  ['session, by password', 500],
];
const SAMPLES = 20;

/** Sends all of them in as many parts as there are samples, and prints what is held after each. */
export async function watchMemory(world: World, all: readonly Scenario[]): Promise<void> {
  const held: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    let requests = 0;
    for (const [name, share] of SHARES) {
      const scenario = all.find((one) => one.name === name);
      if (scenario) requests += await ask(world, scenario, share / SAMPLES);
    }
    const uses = await Promise.all(world.servers.map(({ use }) => use()));
    const [heap, rss] = [uses.map((one) => one.heap), uses.map((one) => one.rss)].map(megabytes);
    console.log(`${requests} requests: ${heap} MB held, ${rss} MB resident`);
    held.push(uses.reduce((sum, one) => sum + one.heap, 0) / uses.length / 2 ** 20);
  }
  // Caches are filled in the first half.
  const half = held.slice(SAMPLES / 2);
  const total = SHARES.reduce((sum, [, share]) => sum + share, 0);
  const perHour = slope(half) * SAMPLES;
  console.log(`grows by ${perHour.toFixed(2)} MB in ${total} requests, by the second half`);
}

async function ask(
  { servers }: World,
  { prepare, next, connections }: Scenario,
  count: number,
): Promise<number> {
  let left = count;
  while (left > 0) {
    await prepare?.();
    const { requests } = await drive({
      ports: servers.map(({ port }) => port),
      connections,
      milliseconds: Infinity,
      next() {
        const one = left > 0 ? next() : null;
        if (one) left -= 1;
        return one && sent(one);
      },
    });
    if (requests === 0) throw new Error('There is nothing to ask.');
  }
  return count;
}

function megabytes(bytes: readonly number[]): string {
  return bytes.map((each) => Math.round(each / 2 ** 20)).join(' and ');
}

/** Of the straight line through the values (least squares). */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const covariance = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  return covariance / values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
}
