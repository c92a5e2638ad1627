/** A value that changes, and who wants to know. Models keep their state in one of these. */
export interface Store<State> {
  readonly get: () => State;
  readonly set: (state: State) => void;
  /** Replaces some fields. */
  readonly patch: (part: Partial<State>) => void;
  /** Calls back after every change. The result ends it. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** What a component needs of a store. */
export type Readable<State> = Pick<Store<State>, 'get' | 'subscribe'>;

/** A store with a first value. States are replaced, never changed in place. */
export function createStore<State extends object>(initial: State): Store<State> {
  let state = initial;
  const listeners = new Set<() => void>();
  function set(next: State): void {
    state = next;
    for (const listener of listeners) listener();
  }
  return {
    get: () => state,
    set,
    patch: (part) => {
      set({ ...state, ...part });
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
