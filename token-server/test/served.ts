import { once } from 'node:events';
import { launch } from './command-line.ts';
import { temporaryFolder } from './support.ts';

type Launched = ReturnType<typeof launch>;

/** A `serve` process on some database, which is stopped, killed and started again. */
export class Served {
  readonly #folder = temporaryFolder();
  readonly #env: Record<string, string>;
  readonly #launched: Launched[] = [];
  #url = nextUrl();

  constructor(env: Record<string, string>) {
    const cache = process.env['NODE_COMPILE_CACHE'];
    // Behind a proxy, so that clients may come from addresses of their own: requests are counted by them.
    const more = { PORT: '0', TRUST_PROXY: '1', ...(cache && { NODE_COMPILE_CACHE: cache }) };
    this.#env = { ...env, ...more };
    this.start();
  }

  /** Where it is; while it is down, where it will be. */
  get url(): Promise<string> {
    return this.#url.promise;
  }

  /** What all of its processes logged as a defect or a failure. */
  get errors(): readonly string[] {
    const lines = this.#launched.flatMap(({ output }) => output.stdout.split('\n'));
    return lines.filter((line) => line.includes('"level":50'));
  }

  start(): void {
    const launched = launch(this.#folder, ['serve'], this.#env);
    this.#launched.push(launched);
    const { child, output, exit } = launched;
    const url = this.#url;
    child.stdout?.on('data', () => {
      const [, port] = /"port":(\d+)[,}]/.exec(output.stdout) ?? [];
      if (port !== undefined) url.resolve(`http://localhost:${port}`);
    });
    void exit.then(({ code, stderr }) => {
      const isAskedTo = this.#url !== url;
      if (isAskedTo) return;
      this.#url = nextUrl();
      for (const { reject } of [url, this.#url]) {
        reject(new Error(`The server ended with ${String(code)}: ${stderr}`));
      }
    });
  }

  /** Ends it, and resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#launched.at(-1)?.child;
    this.#url = nextUrl();
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'close');
    child.kill(signal);
    await gone;
  }
}

function nextUrl(): PromiseWithResolvers<string> {
  const url = Promise.withResolvers<string>();
  // Whoever waits for it hears that there will be none.
  url.promise.catch(() => undefined);
  return url;
}
