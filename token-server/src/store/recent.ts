/** Values that were used lately, at most so many. For what never changes: nothing is ever stale. */
export class Recent<V> {
  readonly #limit: number;
  // A Map is in the order of insertion: the first one was not used for the longest time.
  readonly #values = new Map<string, V>();

  /** @param limit - how many values to keep */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The value of this name, if it is still here. */
  get(name: string): V | undefined {
    const value = this.#values.get(name);
    if (value !== undefined) this.#keep(name, value);
    return value;
  }

  /** Keeps a value, and forgets another one when there is no room. */
  set(name: string, value: V): void {
    this.#keep(name, value);
    if (this.#values.size <= this.#limit) return;
    const [oldest] = this.#values.keys();
    if (oldest !== undefined) this.#values.delete(oldest);
  }

  #keep(name: string, value: V): void {
    this.#values.delete(name);
    this.#values.set(name, value);
  }
}
