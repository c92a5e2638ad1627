/** Listeners of named events. `Events` maps a name to the one value that its listeners get. */
export interface Emitter<Events> {
  readonly on: <Name extends keyof Events>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ) => void;
  readonly off: <Name extends keyof Events>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ) => void;
  readonly emit: <Name extends keyof Events>(name: Name, event: Events[Name]) => void;
}

// What nobody listens to must not fill the memory.
const MAX_WAITING = 64;

/**
 * An emitter without listeners. What happens before anybody listens to it is told to the first who does:
 * opening a device may find out things before the application has it.
 */
export function emitter<Events>(): Emitter<Events> {
  const listeners: { [Name in keyof Events]?: Set<(event: Events[Name]) => void> } = {};
  const heard = new Set<keyof Events>();
  const waiting: { [Name in keyof Events]?: readonly Events[Name][] } = {};

  function wait<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const before: readonly Events[Name][] = waiting[name] ?? [];
    waiting[name] = [...before, event].slice(-MAX_WAITING);
  }

  function emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const told = [...(listeners[name] ?? [])];
    if (!heard.has(name)) wait(name, event);
    for (const listener of told) {
      callSafely(() => {
        listener(event);
      });
    }
  }

  return {
    on(name, listener) {
      (listeners[name] ??= new Set()).add(listener);
      heard.add(name);
      const events: readonly Events[typeof name][] = waiting[name] ?? [];
      waiting[name] = [];
      // Not before the application is done with adding it.
      queueMicrotask(() => {
        for (const event of events) emit(name, event);
      });
    },
    off(name, listener) {
      listeners[name]?.delete(listener);
    },
    emit,
  };
}

/**
 * Runs a listener. What it throws is reported as an uncaught error, as if it had been called by
 * the event loop: it must neither be lost nor stop the messages behind it.
 */
export function callSafely(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
