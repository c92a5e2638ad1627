/**
 * Values that were used lately, up to a bound. For what never changes: nothing is ever stale. They are
 * kept in two generations, of which the older one is dropped when the younger one has grown to half of
 * the bound; to put each use in its order would cost more than to find the value.
 */
export class Recent<V> {
  readonly #bound: number;
  readonly #weigh: (value: V) => number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #weight = 0;

  /**
   * @param bound - how much to keep
   * @param weigh - how much a value is; as it is, each is 1
   */
  constructor(bound: number, weigh: (value: V) => number = () => 1) {
    this.#bound = bound;
    this.#weigh = weigh;
  }

  /** The value of this name, if it is still here. */
  get(name: string): V | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) this.set(name, old);
    return old;
  }

  /** Keeps a value; one that has no room beside all others is forgotten soon. */
  set(name: string, value: V): void {
    const former = this.#young.get(name);
    this.#young.set(name, value);
    this.#weight += this.#weigh(value) - (former === undefined ? 0 : this.#weigh(former));
    if (this.#weight <= this.#bound / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#weight = 0;
  }
}
