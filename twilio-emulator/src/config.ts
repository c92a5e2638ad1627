import { randomBytes } from 'node:crypto';
import { newSid } from './sids.ts';
import type { WebhookConfig } from './webhooks.ts';

/** The Twilio account the emulator plays, and how it runs. */
export interface EmulatorConfig {
  /** `AC…`: access tokens must have it as their subject. */
  accountSid: string;
  /** `SK…`: access tokens must have it as their issuer. */
  apiKey: string;
  /** The secret access tokens are signed with (HS256). */
  apiSecret: string;
  /** `IS…`: the chat service access tokens must grant. */
  serviceSid: string;
  /** The clock, in milliseconds since 1970. Default: the system's. */
  now?: (() => number) | undefined;
  /**
   * Where clients reach the emulator, for example `https://chat.example/twilio`, if a proxy is
   * between. Default: the host they connect to; what they say decides.
   */
  publicUrl?: string | undefined;
  /** How many frames from clients to remember for `inspect.received()`. Default: none. */
  record?: number | undefined;
  /** Whom to ask before messages are stored or changed. Default: nobody. */
  webhooks?: WebhookConfig | undefined;
}

/** The identifiers and the secret of an account: what a token server is configured with. */
export type Credentials = Pick<
  EmulatorConfig,
  'accountSid' | 'apiKey' | 'apiSecret' | 'serviceSid'
>;

/** Any of these, and `undefined` for what is left out. */
export type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

const SID = /^(AC|SK|IS)[0-9a-f]{32}$/;

/** Random credentials, with those that are given in their place. */
export function completeCredentials(given: Loose<Credentials>): Credentials {
  return {
    accountSid: given.accountSid ?? newSid('AC'),
    apiKey: given.apiKey ?? newSid('SK'),
    apiSecret: given.apiSecret ?? randomBytes(24).toString('base64url'),
    serviceSid: given.serviceSid ?? newSid('IS'),
  };
}

/** Throws unless every credential has the form Twilio gives it. */
export function checkCredentials(config: Credentials): void {
  for (const name of ['accountSid', 'apiKey', 'serviceSid'] as const) {
    if (!SID.test(config[name])) {
      throw new TypeError(`${name} is not a Twilio SID: ${config[name]}`);
    }
  }
  if (config.apiSecret === '') throw new TypeError('apiSecret is empty');
}
