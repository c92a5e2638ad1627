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

/** An emitter without listeners. */
export function emitter<Events>(): Emitter<Events> {
  const listeners: { [Name in keyof Events]?: Set<(event: Events[Name]) => void> } = {};
  return {
    on(name, listener) {
      (listeners[name] ??= new Set()).add(listener);
    },
    off(name, listener) {
      listeners[name]?.delete(listener);
    },
    emit(name, event) {
      for (const listener of [...(listeners[name] ?? [])])
        callSafely(() => {
          listener(event);
        });
    },
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
