import { callSafely } from '../../client/emitter.ts';
import { EncryptionError } from '../../errors.ts';

/** A listener of any event; the SDK's types say what it gets. */
export type Listener = (...args: never[]) => void;

/** The methods of the SDKs' emitters, with their replay: the last event of each name is kept. */
export interface EmitterMethods<Self> {
  on(name: string, listener: Listener): Self;
  once(name: string, listener: Listener): Self;
  off(name: string, listener: Listener): Self;
  addListener(name: string, listener: Listener): Self;
  removeListener(name: string, listener: Listener): Self;
  removeAllListeners(name?: string | symbol): Self;
  onWithReplay(name: string, listener: Listener): Self;
  addListenerWithReplay(name: string, listener: Listener): Self;
  onceWithReplay(name: string, listener: Listener): Self;
  listenerCount(name: string | symbol): number;
  prependListener(name: string | symbol, listener: Listener): Self;
  prependOnceListener(name: string | symbol, listener: Listener): Self;
  eventNames(): (string | symbol)[];
  listeners(name: string | symbol): Listener[];
  rawListeners(name: string | symbol): Listener[];
  /** There is no limit; for the SDKs' signature. */
  setMaxListeners(count: number): Self;
  getMaxListeners(): number;
}

/** The names of {@link EmitterMethods}, for tables of rules. */
export const EMITTER_RULES = {
  on: 'emitter',
  once: 'emitter',
  off: 'emitter',
  addListener: 'emitter',
  removeListener: 'emitter',
  removeAllListeners: 'emitter',
  onWithReplay: 'emitter',
  addListenerWithReplay: 'emitter',
  onceWithReplay: 'emitter',
  listenerCount: 'emitter',
  prependListener: 'emitter',
  prependOnceListener: 'emitter',
  eventNames: 'emitter',
  listeners: 'emitter',
  rawListeners: 'emitter',
  setMaxListeners: 'emitter',
  getMaxListeners: 'emitter',
  // Only what arrived is told of.
  emit: 'forbid',
} as const;

interface Registration {
  readonly name: string | symbol;
  readonly listener: Listener;
  readonly once: boolean;
}

const NOBODY: readonly Registration[] = [];

/**
 * The emitter behind a facade. A class, as there is one for each message: functions of its own for each of
 * them would be kilobytes.
 */
export class ReplayEmitter<Self> implements EmitterMethods<Self> {
  readonly #self: () => Self;
  #registrations: readonly Registration[] = NOBODY;
  #last: Map<string, readonly unknown[]> | null = null;

  /** @param self what the methods return, for chaining */
  constructor(self: () => Self) {
    this.#self = self;
  }

  /** Tells whoever listens, and keeps the event for replay. */
  emit(name: string, ...args: readonly unknown[]): void {
    this.remember(name, ...args);
    const told = this.#registrations.filter((one) => one.name === name);
    this.#registrations = this.#registrations.filter((one) => !(one.once && told.includes(one)));
    for (const { listener } of told) this.#call(listener, args);
  }

  /** Keeps an event for replay without telling anybody: it happened before. */
  remember(name: string, ...args: readonly unknown[]): void {
    this.#last ??= new Map();
    this.#last.set(name, args);
  }

  on(name: string, listener: Listener): Self {
    return this.#add(name, listener);
  }

  once(name: string, listener: Listener): Self {
    return this.#add(name, listener, true);
  }

  // As node:events: of a listener that was added twice, the latest goes.
  off(name: string, listener: Listener): Self {
    const index = this.#registrations.findLastIndex(
      (one) => one.name === name && one.listener === listener,
    );
    this.#registrations = this.#registrations.filter((_, at) => at !== index);
    return this.#self();
  }

  addListener(name: string, listener: Listener): Self {
    return this.#add(name, listener);
  }

  removeListener(name: string, listener: Listener): Self {
    return this.off(name, listener);
  }

  removeAllListeners(name?: string | symbol): Self {
    this.#registrations = this.#registrations.filter(
      (one) => name !== undefined && one.name !== name,
    );
    return this.#self();
  }

  onWithReplay(name: string, listener: Listener): Self {
    return this.#addWithReplay(name, listener);
  }

  addListenerWithReplay(name: string, listener: Listener): Self {
    return this.#addWithReplay(name, listener);
  }

  onceWithReplay(name: string, listener: Listener): Self {
    return this.#addWithReplay(name, listener, true);
  }

  listenerCount(name: string | symbol): number {
    return this.listeners(name).length;
  }

  prependListener(name: string | symbol, listener: Listener): Self {
    return this.#prepend(name, listener);
  }

  prependOnceListener(name: string | symbol, listener: Listener): Self {
    return this.#prepend(name, listener, true);
  }

  eventNames(): (string | symbol)[] {
    return [...new Set(this.#registrations.map(({ name }) => name))];
  }

  listeners(name: string | symbol): Listener[] {
    return this.#registrations.filter((one) => one.name === name).map(({ listener }) => listener);
  }

  rawListeners(name: string | symbol): Listener[] {
    return this.listeners(name);
  }

  setMaxListeners(): Self {
    return this.#self();
  }

  getMaxListeners(): number {
    return Infinity;
  }

  #add(name: string, listener: Listener, once = false): Self {
    checkListener(listener);
    this.#registrations = [...this.#registrations, { name, listener, once }];
    return this.#self();
  }

  #prepend(name: string | symbol, listener: Listener, once = false): Self {
    checkListener(listener);
    this.#registrations = [{ name, listener, once }, ...this.#registrations];
    return this.#self();
  }

  #addWithReplay(name: string, listener: Listener, once = false): Self {
    checkListener(listener);
    const args = this.#last?.get(name);
    if (args) this.#call(listener, args);
    return args && once ? this.#self() : this.#add(name, listener, once);
  }

  #call(listener: Listener, args: readonly unknown[]): void {
    callSafely(() => {
      Reflect.apply(listener, this.#self(), args);
    });
  }
}

// As node:events: not when the first event comes, in the middle of something else.
function checkListener(listener: unknown): void {
  if (typeof listener === 'function') return;
  throw new EncryptionError('INVALID_ARGUMENT', 'A listener must be a function.');
}
