import { EncryptionError } from '../../errors.ts';
import type { Cancellable } from './cancellable.ts';

/**
 * What a facade does about one public member of an SDK's class.
 * - `pass` hands it through: it carries no content, or only what Twilio sees anyway
 * - `own` the facade has its own: it encrypts, decrypts, or wraps what comes out
 * - `emitter` likewise, and it is the facade's emitter that has it
 * - `refuse` rejects with `NOT_SUPPORTED_ENCRYPTED`: it would send content in the clear
 * - `metadata` passes when the application said `metadata: 'clear'`, and is refused otherwise
 * - `forbid` as `refuse`, of a method that is not asynchronous: throws
 * - `hide` is not there: internal, or a way around the facade
 */
export type Rule = 'pass' | 'own' | 'emitter' | 'refuse' | 'forbid' | 'metadata' | 'hide';

/** The rule for every member: a member that a newer SDK adds is a compile error, not a leak. */
export type Rules<T> = { readonly [Name in keyof T & string]: Rule };

type Names<R, Which extends Rule> = {
  [Name in keyof R]: R[Name] extends Which ? Name : never;
}[keyof R];

// The SDK's class of promises that can be cancelled cannot be had without the SDK: ours does the same.
type Result<R> = R extends Promise<infer V> & { cancel(): unknown } ? Cancellable<V> : R;

/**
 * The facade's own members: exactly those that the rules call `own`. A property may be null or
 * undefined, which the SDKs use for what is not there although their types do not say so.
 */
export type OwnMembers<T, R extends Rules<T>> = {
  readonly [Name in Names<R, 'own'> & keyof T]: T[Name] extends (...args: infer Args) => infer R
    ? (...args: Args) => Result<R>
    : T[Name] | null | undefined;
};

/** The emitter of a facade whose rules name one. */
type EmitterOf<T, R extends Rules<T>> = [Names<R, 'emitter'>] extends [never]
  ? []
  : [emitter: Pick<T, Names<R, 'emitter'> & keyof T>];

/**
 * An object that stands before an SDK object. It is an instance of the same class, but only what
 * the rules let through can be reached from it.
 * @param clearMetadata whether `metadata` members pass
 */
export function facade<T extends object, const R extends Rules<T>>(
  raw: T,
  rules: R,
  own: OwnMembers<T, R>,
  clearMetadata: boolean,
  ...emitter: EmitterOf<T, R>
): T {
  // The target is an empty object of the same class, so that own members of the SDK object, which
  // hold ciphertext and transports, cannot be listed or read around `get`.
  const blank: T = Object.create(Reflect.getPrototypeOf(raw)) as T;
  const proxy = new Proxy(blank, new Front(raw, rules, own, clearMetadata, emitter));
  facades.add(proxy);
  return proxy;
}

// A class, as there is one for each message: functions of its own for each of them would be a kilobyte.
class Front<T extends object, R extends Rules<T>> implements ProxyHandler<T> {
  readonly #raw: T;
  readonly #rules: R;
  readonly #own: object;
  readonly #clearMetadata: boolean;
  readonly #emitter: object;

  constructor(
    raw: T,
    rules: R,
    own: object,
    clearMetadata: boolean,
    [emitter = own]: readonly object[],
  ) {
    this.#raw = raw;
    this.#rules = rules;
    this.#own = own;
    this.#clearMetadata = clearMetadata;
    this.#emitter = emitter;
  }

  get(target: T, name: string | symbol): unknown {
    return Object.hasOwn(target, name) ? Reflect.get(target, name) : this.#read(name);
  }

  has(target: T, name: string | symbol): boolean {
    return Object.hasOwn(target, name) || this.#isThere(name);
  }

  // Not by `Reflect.set` at first: the SDK's class may have a setter of that name.
  set(target: T, name: string | symbol, value: unknown): boolean {
    if (this.#isTaken(name)) return false;
    if (Object.hasOwn(target, name)) return Reflect.set(target, name, value);
    const flags = { writable: true, enumerable: true, configurable: true };
    return Reflect.defineProperty(target, name, { value, ...flags });
  }

  defineProperty(target: T, name: string | symbol, property: PropertyDescriptor): boolean {
    return !this.#isTaken(name) && Reflect.defineProperty(target, name, property);
  }

  deleteProperty(target: T, name: string | symbol): boolean {
    return !this.#isTaken(name) && Reflect.deleteProperty(target, name);
  }

  setPrototypeOf(): boolean {
    return false;
  }

  #ruleOf(name: string | symbol): Rule | undefined {
    if (typeof name === 'symbol' || !Object.hasOwn(this.#rules, name)) return undefined;
    return Reflect.get<Record<string, Rule>, string>(this.#rules, name);
  }

  // Applications hang things of their own on the SDK's objects, and frameworks do (Vue's `markRaw`):
  // these stand on the target, and nothing of them in the place of a member.
  #isTaken(name: string | symbol): boolean {
    return name === 'constructor' || this.#ruleOf(name) !== undefined;
  }

  #read(name: string | symbol): unknown {
    if (name === 'constructor') return this.#raw.constructor;
    const rule = this.#ruleOf(name);
    if (rule === undefined) return ofEveryObject(name);
    if (typeof name === 'symbol') return undefined;
    if (rule === 'own') return memberOf(this.#own, name);
    if (rule === 'emitter') return memberOf(this.#emitter, name);
    if (rule === 'pass' || (rule === 'metadata' && this.#clearMetadata))
      return memberOf(this.#raw, name);
    if (rule === 'refuse' || rule === 'metadata') return () => Promise.reject(refusal(name, rule));
    if (rule === 'forbid') {
      return () => {
        throw refusal(name);
      };
    }
    return undefined;
  }

  // Nothing is read: the SDKs have getters that throw until the client is connected.
  #isThere(name: string | symbol): boolean {
    if (!this.#isTaken(name)) return ofEveryObject(name) !== undefined;
    const rule = this.#ruleOf(name);
    return rule === 'pass' ? name in this.#raw : rule !== 'hide';
  }
}

const facades = new WeakSet();

/** `toString` and the like, without which `${channel}` throws. */
function ofEveryObject(name: string | symbol): unknown {
  const isSafe = name !== '__proto__' && Object.hasOwn(Object.prototype, name);
  return isSafe ? Reflect.get(Object.prototype, name) : undefined;
}

/** Whether an object is a facade of anybody's. */
export function isFacade(object: object): boolean {
  return facades.has(object);
}

function memberOf(object: object, name: string): unknown {
  const value: unknown = Reflect.get(object, name);
  return typeof value === 'function' ? (value.bind(object) as unknown) : value;
}

/** The error of a member that is refused. */
export function refusal(name: string, rule: 'refuse' | 'metadata' = 'refuse'): EncryptionError {
  return new EncryptionError(
    'NOT_SUPPORTED_ENCRYPTED',
    rule === 'metadata'
      ? `${name} would show its content to Twilio. Open the encryption with metadata: 'clear' to allow that.`
      : `${name} is not supported in an encrypted chat: its content would not be encrypted.`,
  );
}
