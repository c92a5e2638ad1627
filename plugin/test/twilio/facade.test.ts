import { describe, expect, test } from 'vitest';
import { facade, isFacade, type Rules } from '../../src/twilio/core/facade.ts';

class Raw {
  readonly sid = 'CH1';
  readonly secret = 'ciphertext';
  get body(): string {
    return this.secret;
  }
  get notYet(): string {
    throw new Error('not connected yet');
  }
}

const RULES = {
  sid: 'pass',
  body: 'own',
  secret: 'hide',
  notYet: 'pass',
} as const satisfies Rules<Raw>;

const made = () => facade(new Raw(), RULES, { body: 'verified' }, false);

test('to ask whether a member is there reads nothing', () => {
  const one = made();
  const names = ['sid', 'body', 'secret', 'notYet', 'constructor', 'toString', 'other'];
  expect(names.filter((name) => name in one)).toEqual([
    'sid',
    'body',
    'notYet',
    'constructor',
    'toString',
  ]);
});

describe('what an application hangs on a facade', () => {
  test('is there, and can be listed, changed and removed', () => {
    const one = made();
    Reflect.set(one, 'draft', 'x');
    Reflect.set(one, 'draft', 'y');
    expect([Object.keys(one), Reflect.get(one, 'draft'), 'draft' in one]).toEqual([
      ['draft'],
      'y',
      true,
    ]);
    expect(Reflect.deleteProperty(one, 'draft')).toBe(true);
    expect('draft' in one).toBe(false);
  });

  test('may be defined, as Vue does to leave an object as it is', () => {
    const one = made();
    const mark = { configurable: true, enumerable: false, writable: false, value: true };
    Object.defineProperty(one, '__v_skip', mark);
    expect(Reflect.get(one, '__v_skip')).toBe(true);
    expect(Reflect.set(one, '__v_skip', false)).toBe(false);
    expect(Object.isFrozen(Object.freeze(one))).toBe(true);
    expect([one.body, one.sid]).toEqual(['verified', 'CH1']);
  });

  test.each(['sid', 'body', 'secret', 'constructor'])('never stands in the place of %s', (name) => {
    const one = made();
    const before: unknown = Reflect.get(one, name);
    expect(Reflect.set(one, name, 'x')).toBe(false);
    expect(Reflect.defineProperty(one, name, { value: 'x', configurable: true })).toBe(false);
    expect(Reflect.deleteProperty(one, name)).toBe(false);
    expect(Reflect.get(one, name)).toBe(before);
    expect(isFacade(one)).toBe(true);
  });
});

// The compiler is what tells here: it complains of a comment that expects an error where there is none.
describe('a table of rules', () => {
  class Newer extends Raw {
    readonly added = 'by a newer SDK';
  }

  test('has a rule for every member', () => {
    // @ts-expect-error -- nobody decided about `added`
    const lacking = RULES satisfies Rules<Newer>;
    expect(lacking).not.toHaveProperty('added');
  });

  test('has nothing but rules', () => {
    // @ts-expect-error -- there is no such rule
    const wrong = { ...RULES, added: 'leak' } as const satisfies Rules<Newer>;
    expect(wrong.added).toBe('leak');
  });

  test('needs a member of its own for whatever is not passed on', () => {
    // @ts-expect-error -- what `body` gives is missing
    const one = facade(new Raw(), RULES, {}, false);
    expect(Reflect.get(one, 'body')).toBe(undefined);
  });
});
