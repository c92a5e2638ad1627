import { MemoryKeyStore } from 'twilio-chat-encryption';
import { describe, expect, test } from 'vitest';
import { sealedKeyStore } from '../../src/client/sealed-key-store.ts';
import { utf8, utf8Text } from '../../src/protocol/primitives.ts';
import { deriveStateKey } from '../../src/protocol/state-record.ts';
import { random } from '../protocol/people.ts';

const KEY = deriveStateKey(random(64));
const DAMAGED = { code: 'KEY_RECORD_DAMAGED' };

describe('what a device remembers', () => {
  test('comes back, and is not readable in the store', async () => {
    const store = new MemoryKeyStore();
    const sealed = sealedKeyStore(store, 'device', KEY, random);
    await sealed.update('pins/x', () => utf8('bob and his cards'));
    expect(utf8Text((await sealed.get('pins/x')) ?? new Uint8Array())).toBe('bob and his cards');
    const stored = (await store.get('device/pins/x')) ?? new Uint8Array();
    expect(Buffer.from(stored).toString('latin1')).not.toContain('bob');
    await sealed.update('pins/x', () => null);
    expect(await store.get('device/pins/x')).toBeNull();
  });

  test('cannot be made up by whoever can write to the store', async () => {
    const store = new MemoryKeyStore();
    const sealed = sealedKeyStore(store, 'device', KEY, random);
    await store.update('device/pins/x', () => utf8('{"pinned":["planted"],"changed":[]}'));
    await expect(sealed.get('pins/x')).rejects.toMatchObject(DAMAGED);
    await expect(sealed.update('pins/x', () => utf8('{}'))).rejects.toMatchObject(DAMAGED);
    await sealedKeyStore(store, 'device', deriveStateKey(random(64)), random)
      .update('pins/y', () => utf8('of another device'))
      .catch(() => undefined);
    await expect(sealed.get('pins/y')).rejects.toMatchObject(DAMAGED);
    await store.update('device/pins/z', () => new Uint8Array(3));
    await expect(sealed.get('pins/z')).rejects.toMatchObject(DAMAGED);
  });

  test('cannot be moved to another name', async () => {
    const store = new MemoryKeyStore();
    const sealed = sealedKeyStore(store, 'device', KEY, random);
    await sealed.update('pins/bob', () => utf8('cards of bob'));
    const record = await store.get('device/pins/bob');
    await store.update('device/pins/carol', () => record);
    await expect(sealed.get('pins/carol')).rejects.toMatchObject(DAMAGED);
  });
});
