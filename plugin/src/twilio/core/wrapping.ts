import type { Device } from '../../client/device.ts';
import { EncryptionError } from '../../errors.ts';
import type { ChannelRule } from './channel-rule.ts';

/** What all facades of one device work with. */
export interface Wrapping {
  readonly device: Device;
  /** Whether names and attributes that Twilio sees are allowed. */
  readonly clearMetadata: boolean;
  /** The names of the message attributes that Twilio sees too. */
  readonly clearAttributes: readonly string[];
  readonly rule: ChannelRule;
}

/** A client of an SDK, as far as it says who is signed in. */
export interface SignedIn {
  readonly user: { readonly identity: string };
}

/**
 * A message sealed by one person's card and sent as another would be refused by all who get it. A
 * client that is not connected yet does not know who it is.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkIdentity({ user: { identity } }: SignedIn, device: Device): void {
  if (identity && identity !== device.identity) {
    throw new EncryptionError(
      'INVALID_ARGUMENT',
      `This Twilio client is signed in as ${identity}, the encryption as ${device.identity}.`,
    );
  }
}
