import { EncryptionError } from '../../errors.ts';
import type { Cancellable } from './cancellable.ts';

/**
 * What a facade does about one public member of an SDK's class.
 * - `pass` hands it through: it carries no content, or only what Twilio sees anyway
 * - `own` the facade has its own: it encrypts, decrypts, or wraps what comes out
 * - `refuse` rejects with `NOT_SUPPORTED_ENCRYPTED`: it would send content in the clear
 * - `metadata` passes when the application said `metadata: 'clear'`, and is refused otherwise
 * - `forbid` as `refuse`, of a method that is not asynchronous: throws
 * - `hide` is not there: internal, or a way around the facade
 */
export type Rule = 'pass' | 'own' | 'refuse' | 'forbid' | 'metadata' | 'hide';

/** The rule for every member: a member that a newer SDK adds is a compile error, not a leak. */
export type Rules<T> = { readonly [Name in keyof T & string]: Rule };

type OwnNames<R> = { [Name in keyof R]: R[Name] extends 'own' ? Name : never }[keyof R];

// The SDK's class of promises that can be cancelled cannot be had without the SDK: ours does the same.
type Result<R> = R extends Promise<infer V> & { cancel(): unknown } ? Cancellable<V> : R;

/**
 * The facade's own members: exactly those that the rules call `own`. A property may be null or
 * undefined, which the SDKs use for what is not there although their types do not say so.
 */
export type OwnMembers<T, R extends Rules<T>> = {
  readonly [Name in OwnNames<R> & keyof T]: T[Name] extends (...args: infer Args) => infer R
    ? (...args: Args) => Result<R>
    : T[Name] | null | undefined;
};

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
): T {
  const ruleOf = (name: string): Rule | undefined =>
    Object.hasOwn(rules, name) ? Reflect.get<Record<string, Rule>, string>(rules, name) : undefined;

  // Applications hang things of their own on the SDK's objects, and frameworks do (Vue's `markRaw`):
  // these stand on the target, and nothing of them in the place of a member.
  function isTaken(name: string | symbol): boolean {
    if (Object.hasOwn(own, name) || name === 'constructor') return true;
    return typeof name === 'string' && ruleOf(name) !== undefined;
  }

  // Not by `Reflect.set` at first: the SDK's class may have a setter of that name.
  function write(target: T, name: string | symbol, value: unknown): boolean {
    if (Object.hasOwn(target, name)) return Reflect.set(target, name, value);
    const flags = { writable: true, enumerable: true, configurable: true };
    return Reflect.defineProperty(target, name, { value, ...flags });
  }

  function read(name: string | symbol): unknown {
    if (Object.hasOwn(own, name)) return Reflect.get(own, name);
    if (name === 'constructor') return raw.constructor;
    const rule = typeof name === 'symbol' ? undefined : ruleOf(name);
    if (rule === undefined) return ofEveryObject(name);
    if (typeof name === 'symbol') return undefined;
    if (rule === 'pass' || (rule === 'metadata' && clearMetadata)) return passed(raw, name);
    if (rule === 'refuse' || rule === 'metadata') return () => Promise.reject(refusal(name, rule));
    if (rule === 'forbid') {
      return () => {
        throw refusal(name);
      };
    }
    return undefined;
  }

  // Nothing is read: the SDKs have getters that throw until the client is connected.
  function isThere(name: string | symbol): boolean {
    if (!isTaken(name)) return ofEveryObject(name) !== undefined;
    if (typeof name === 'symbol' || Object.hasOwn(own, name)) return true;
    const rule = ruleOf(name);
    return rule === 'pass' ? name in raw : rule !== 'hide';
  }

  // The target is an empty object of the same class, so that own members of the SDK object, which
  // hold ciphertext and transports, cannot be listed or read around `read`.
  const blank: T = Object.create(Reflect.getPrototypeOf(raw)) as T;
  const proxy = new Proxy(blank, {
    get: (target, name): unknown =>
      Object.hasOwn(target, name) ? Reflect.get(target, name) : read(name),
    has: (target, name) => Object.hasOwn(target, name) || isThere(name),
    set: (target, name, value) => !isTaken(name) && write(target, name, value),
    defineProperty: (target, name, property) =>
      !isTaken(name) && Reflect.defineProperty(target, name, property),
    deleteProperty: (target, name) => !isTaken(name) && Reflect.deleteProperty(target, name),
    setPrototypeOf: () => false,
  });
  facades.add(proxy);
  return proxy;
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

function passed(raw: object, name: string): unknown {
  const value: unknown = Reflect.get(raw, name);
  return typeof value === 'function' ? (value.bind(raw) as unknown) : value;
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
