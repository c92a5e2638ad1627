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

/** The emitter behind a facade. */
export interface ReplayEmitter<Self> {
  readonly methods: EmitterMethods<Self>;
  readonly emit: (name: string, ...args: readonly unknown[]) => void;
  /** Keeps an event for replay without telling anybody: it happened before. */
  readonly remember: (name: string, ...args: readonly unknown[]) => void;
}

/** The names of {@link EmitterMethods}, for tables of rules. */
export const EMITTER_RULES = {
  on: 'own',
  once: 'own',
  off: 'own',
  addListener: 'own',
  removeListener: 'own',
  removeAllListeners: 'own',
  onWithReplay: 'own',
  addListenerWithReplay: 'own',
  onceWithReplay: 'own',
  listenerCount: 'own',
  prependListener: 'own',
  prependOnceListener: 'own',
  eventNames: 'own',
  listeners: 'own',
  rawListeners: 'own',
  setMaxListeners: 'own',
  getMaxListeners: 'own',
  // Only what arrived is told of.
  emit: 'forbid',
} as const;

interface Registration {
  readonly name: string | symbol;
  readonly listener: Listener;
  readonly once: boolean;
}

/** An emitter whose methods return `self()`, for chaining. */
export function replayEmitter<Self>(self: () => Self): ReplayEmitter<Self> {
  let registrations: readonly Registration[] = [];
  const last = new Map<string, readonly unknown[]>();

  function add(name: string, listener: Listener, once = false): Self {
    checkListener(listener);
    registrations = [...registrations, { name, listener, once }];
    return self();
  }

  function prepend(name: string | symbol, listener: Listener, once = false): Self {
    checkListener(listener);
    registrations = [{ name, listener, once }, ...registrations];
    return self();
  }

  function listenersOf(name: string | symbol): Listener[] {
    return registrations.filter((one) => one.name === name).map(({ listener }) => listener);
  }

  // As node:events: of a listener that was added twice, the latest goes.
  function remove(name: string, listener: Listener): Self {
    const index = registrations.findLastIndex(
      (one) => one.name === name && one.listener === listener,
    );
    registrations = registrations.filter((_, at) => at !== index);
    return self();
  }

  function addWithReplay(name: string, listener: Listener, once = false): Self {
    checkListener(listener);
    const args = last.get(name);
    if (args) call(listener, args);
    return args && once ? self() : add(name, listener, once);
  }

  function call(listener: Listener, args: readonly unknown[]): void {
    callSafely(() => {
      Reflect.apply(listener, self(), args);
    });
  }

  return {
    emit(name, ...args) {
      last.set(name, args);
      const told = registrations.filter((one) => one.name === name);
      registrations = registrations.filter((one) => !(one.once && told.includes(one)));
      for (const { listener } of told) call(listener, args);
    },
    remember(name, ...args) {
      last.set(name, args);
    },
    methods: {
      on: (name, listener) => add(name, listener),
      once: (name, listener) => add(name, listener, true),
      off: remove,
      addListener: (name, listener) => add(name, listener),
      removeListener: remove,
      removeAllListeners(name) {
        registrations = registrations.filter((one) => name !== undefined && one.name !== name);
        return self();
      },
      onWithReplay: (name, listener) => addWithReplay(name, listener),
      addListenerWithReplay: (name, listener) => addWithReplay(name, listener),
      onceWithReplay: (name, listener) => addWithReplay(name, listener, true),
      listenerCount: (name) => listenersOf(name).length,
      prependListener: (name, listener) => prepend(name, listener),
      prependOnceListener: (name, listener) => prepend(name, listener, true),
      eventNames: () => [...new Set(registrations.map(({ name }) => name))],
      listeners: listenersOf,
      rawListeners: listenersOf,
      setMaxListeners: self,
      getMaxListeners: () => Infinity,
    },
  };
}

// As node:events: not when the first event comes, in the middle of something else.
function checkListener(listener: unknown): void {
  if (typeof listener === 'function') return;
  throw new EncryptionError('INVALID_ARGUMENT', 'A listener must be a function.');
}
