/**
 * A process that brings a client into a situation and prints, when all is over, how the application's calls
 * ended and what nobody handled.
 */
import { writeSync } from 'node:fs';
import { calls, type Call } from './calls.ts';
import { takeTimers } from './clock.ts';
import { SITUATIONS } from './situations.ts';
import { openStage, type Manner, type SdkName } from './stage.ts';
import { collectStrays, type Stray } from './strays.ts';

/** What is to be done. */
export interface Task {
  readonly sdk: SdkName;
  readonly manner: Manner;
  readonly situation: keyof typeof SITUATIONS;
}

/** What the process prints. */
export interface Report {
  readonly calls: readonly Call[];
  readonly strays: readonly Stray[];
  /** Whether it went on to the end. */
  readonly isOver: boolean;
}

const strays = collectStrays();
const clock = takeTimers();
const asked = calls();
let isOver = false;

process.on('exit', () => {
  const report: Report = { calls: asked.all, strays, isOver };
  writeSync(process.stdout.fd, JSON.stringify(report));
});

const { sdk, manner, situation } = JSON.parse(process.argv[2] ?? '') as Task;
const stage = await openStage(sdk, manner);
await SITUATIONS[situation](stage, asked, clock.hurry);
await asked.settled();
// What is tried again and again gets its turns.
await clock.halfMinute();
await stage.close();
// By now every request was given up.
await clock.halfMinute();
isOver = true;
process.exit();
