import { EncryptionError } from '../../errors.ts';

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

/**
 * The facade's own members: exactly those that the rules call `own`. A property may be null, which
 * the SDKs use for what is not there although their types do not say so.
 */
export type OwnMembers<T, R extends Rules<T>> = {
  readonly [Name in OwnNames<R> & keyof T]: T[Name] extends (...args: never[]) => unknown
    ? T[Name]
    : T[Name] | null;
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

  function read(name: string | symbol): unknown {
    if (Object.hasOwn(own, name)) return Reflect.get(own, name);
    if (name === 'constructor') return raw.constructor;
    if (typeof name === 'symbol') return undefined;
    const rule = ruleOf(name);
    if (rule === 'pass' || (rule === 'metadata' && clearMetadata)) return passed(raw, name);
    if (rule === 'refuse' || rule === 'metadata') return () => Promise.reject(refusal(name, rule));
    if (rule === 'forbid') {
      return () => {
        throw refusal(name);
      };
    }
    return undefined;
  }

  // The target is an empty object of the same class, so that own members of the SDK object, which
  // hold ciphertext and transports, cannot be listed or read around `read`.
  const blank: T = Object.create(Reflect.getPrototypeOf(raw)) as T;
  const proxy = new Proxy(blank, {
    get: (_target, name) => read(name),
    has: (_target, name) => read(name) !== undefined,
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    setPrototypeOf: () => false,
  });
  facades.add(proxy);
  return proxy;
}

const facades = new WeakSet();

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
