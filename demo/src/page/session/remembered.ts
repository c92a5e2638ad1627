/** Hints that this browser keeps between visits. What is lost with them is only a hint. */
export interface Remembered {
  readonly get: (name: string) => string | null;
  /** Null forgets it. */
  readonly set: (name: string, value: string | null) => void;
}

/** Those in the browser's own store; none where it gives no access to that. */
export const remembered: Remembered = {
  get: (name) => attempt(() => localStorage.getItem(name)),
  set(name, value) {
    attempt(() => {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
      return null;
    });
  },
};

function attempt(step: () => string | null): string | null {
  try {
    return step();
  } catch {
    return null;
  }
}
