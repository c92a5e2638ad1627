/** Names of what a device remembers, in its key store. */
import type { KeyStore } from 'twilio-chat-encryption';
import { openKeyRecord } from 'twilio-chat-encryption/protocol';
import { deriveScope } from '../../src/protocol/state-record.ts';

/** The name behind that of the device: what kind of record it is. */
export function kindOf(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

/** What the names of this person's device begin with. */
export async function scopeOf(keyStore: KeyStore, identity: string): Promise<string> {
  const record = await keyStore.get(`key/${identity}`);
  if (!record) throw new Error('No key record.');
  const ring = await openKeyRecord(`key/${identity}`, record, `password of ${identity}`);
  return deriveScope(ring.slice(1, 33));
}
