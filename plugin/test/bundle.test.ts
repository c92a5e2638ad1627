/** How much of the package a page loads, and what: see docs/decisions/0031-bundle.md. */
import { beforeAll, describe, expect, test } from 'vitest';
import { bundle, type Bundle } from './bundle.ts';

// Two percent above what it is: who needs more room says here why.
const MAX_START = 63_400;
const MAX_PROTOCOL = 27_100;
const MAX_ALL = 106_000;

function namesIn(modules: readonly string[], pattern: RegExp): readonly string[] {
  return modules.filter((one) => pattern.test(one));
}

describe('an application that opens a device and wraps a client', () => {
  let built: Bundle;

  beforeAll(async () => {
    built = await bundle(
      `import { Encryption } from 'twilio-chat-encryption'; window.Encryption = Encryption;`,
    );
  });

  test('loads no more at first than it did', () => {
    expect(built.start.size).toBeLessThan(MAX_START);
  });

  test('loads no more altogether, whatever it uses', () => {
    const later = [...built.later.values()].reduce((sum, { size }) => sum + size, 0);
    expect(built.start.size + later).toBeLessThan(MAX_ALL);
  });

  test('loads what only some need when they do', () => {
    const some =
      /argon2|@noble\/(curves|post-quantum)|sha3|curves-(noble|xwing)|protocol\/media\.ts/;
    const rare =
      /client\/(backup|restore|rotation|own-devices|safety-numbers|keys|key-pair|cards)\.ts/;
    const others = /safety-number\.ts|sealed-(data|stream)\.ts/;
    // Of Argon2, what asks Node for its own.
    const ours = /native-argon2/;
    for (const pattern of [some, rare, others]) {
      const found = namesIn(built.start.modules, pattern).filter((one) => !ours.test(one));
      expect(found).toEqual([]);
      const later = [...built.later.values()].flatMap(({ modules }) => modules);
      expect(namesIn(later, pattern)).not.toEqual([]);
    }
  });

  test('has no library for what the platform does, and nothing of an SDK', () => {
    const all = [built.start, ...built.later.values()].flatMap(({ modules }) => modules);
    expect(namesIn(all, /node_modules\/(?!@(noble|stablelib)\/)/)).toEqual([]);
  });
});

describe('the protocol', () => {
  let built: Bundle;

  beforeAll(async () => {
    built = await bundle(`export * from 'twilio-chat-encryption/protocol';
      import * as protocol from 'twilio-chat-encryption/protocol'; window.protocol = protocol;`);
  });

  test('is no larger than it was', () => {
    expect(built.start.size).toBeLessThan(MAX_PROTOCOL);
  });

  test('has no fetch, no IndexedDB, no locks and nothing of Twilio in it', () => {
    for (const { code, modules } of [built.start, ...built.later.values()]) {
      expect(code).not.toMatch(/\b(fetch|indexedDB|XMLHttpRequest|localStorage|WebSocket)\b/i);
      expect(code).not.toMatch(/navigator\.locks|getConversationBySid|getChannelBySid/);
      expect(
        namesIn(modules, /plugin\/src\/(client|twilio)|node_modules\/(?!@(noble|stablelib)\/)/),
      ).toEqual([]);
    }
  });
});
