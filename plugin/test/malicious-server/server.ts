/** A token server that holds the keys of the application and of the log, and lies to whom it likes. */
import { MemoryKeyStore, type Directory, type KeyStore } from 'twilio-chat-encryption';
import { vi } from 'vitest';
import { checkDeviceOptions, type DeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import { LoggedDirectory, PINS } from '../client/logged-directory.ts';
import { hearing, type Heard } from './heard.ts';
import { lying, type Lie } from './lies.ts';

/** Somebody with a device. */
export interface Person {
  readonly device: Device;
  readonly keyStore: KeyStore;
  /** What the device told its application. */
  readonly heard: Heard;
}

/** A server that tells the truth until it is told to lie. */
export class MaliciousServer {
  readonly truth: LoggedDirectory;
  readonly #lies = new Map<string, Lie>();
  readonly #asked: string[] = [];

  constructor(truth: LoggedDirectory = new LoggedDirectory()) {
    this.truth = truth;
  }

  /** From now on, this is what these people are told. */
  tell(lie: Lie, ...viewers: readonly string[]): void {
    for (const viewer of viewers) this.#lies.set(viewer, lie);
  }

  /** Tells everybody the truth again. */
  repent(): void {
    this.#lies.clear();
  }

  /** What this person asked so far, and of whom. */
  askedBy(viewer: string): readonly string[] {
    return this.#asked.filter((one) => one.startsWith(`${viewer} `));
  }

  /** The server as this person sees it. */
  as(viewer: string): Directory {
    const now = (what: string): Directory => {
      this.#asked.push(`${viewer} ${what}`);
      return lying(this.truth, this.#lies.get(viewer) ?? (() => ({})));
    };
    return {
      publish: (card) => now('publish').publish(card),
      get: (id) => now('get').get(id),
      revoke: (id, revocation) => now('revoke').revoke(id, revocation),
      lookup: (identities, from) => now(`lookup ${identities.join()}`).lookup(identities, from),
      lookupAt: (identity, size) => now('lookupAt').lookupAt(identity, size),
      consistency: (from, to) => now('consistency').consistency(from, to),
    };
  }

  /** Opens a device of this person. */
  async open(identity: string, options: Partial<DeviceOptions> = {}): Promise<Person> {
    const keyStore = options.keyStore ?? new MemoryKeyStore();
    const usual = { ...PINS, identity, server: this.as(identity), password: 'password' };
    const device = await openDevice(await checkDeviceOptions({ ...usual, ...options, keyStore }));
    return { device, keyStore, heard: hearing(device) };
  }

  /** Ends this run of somebody's application, and begins the next one. */
  async restart({ device, keyStore }: Person): Promise<Person> {
    device.close();
    return this.open(device.identity, { keyStore });
  }
}

/** So much later, all that was asked before is asked again. */
export function later(minutes = 6): void {
  vi.setSystemTime(Date.now() + minutes * 60_000);
}
