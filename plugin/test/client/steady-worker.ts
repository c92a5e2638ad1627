/**
 * Does the same work of some milliseconds again and again, beside whatever a page does, and tells how much
 * longer it usually took than at best since it was last asked: what others on the machine do to everybody.
 */
const ROUNDS = 8_000_000;
const PAUSE_MILLISECONDS = 30;

let best = Infinity;
let times: number[] = [];

function work(): void {
  const start = performance.now();
  let sum = 0;
  for (let round = 0; round < ROUNDS; round += 1) sum = (sum * 31 + round) | 0;
  const took = performance.now() - start + (sum === 1 ? 1 : 0);
  best = Math.min(best, took);
  times.push(took);
  setTimeout(work, PAUSE_MILLISECONDS);
}

addEventListener('message', () => {
  times.sort((one, other) => one - other);
  const usual = times[times.length >> 1] ?? best;
  times = [];
  postMessage(usual / best);
});

work();
