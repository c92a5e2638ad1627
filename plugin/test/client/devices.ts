/** Devices on a token server in memory, by a clock that the test sets. */
import {
  EncryptionError,
  MemoryKeyStore,
  type DeviceEvents,
  type DeviceOptions,
  type Directory,
  type ErrorCode,
} from 'twilio-chat-encryption';
import { afterEach, beforeEach, vi } from 'vitest';
import { checkDeviceOptions, type CheckedOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import { Backups } from './backups.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

const MILLISECONDS_A_DAY = 24 * 60 * 60_000;

/** When each test begins. */
export const START: number = Date.UTC(2026, 0, 1);

/** So many days after the start: milliseconds since 1970-01-01 UTC. */
export const day = (days: number): number => START + days * MILLISECONDS_A_DAY;

/** Has each test begin at the start, and no clock tick in it. */
export function stopClocks(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: START });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** It is so many days after the start, by all clocks that are not set otherwise. */
export function after(days: number): void {
  vi.setSystemTime(day(days));
}

/** A token server: approves, logs and keeps whatever it is given, unless it is told not to. */
export class Server extends LoggedDirectory implements Directory {
  readonly backups = new Backups();
  /** How many cards it took. */
  published = 0;
  /** What becomes of a card that is to be published, and of the answer. */
  publishing: (publish: () => Promise<string>, card: string) => Promise<string> = (publish) =>
    publish();

  override publish(exported: string): Promise<string> {
    return this.publishing(async () => {
      const approved = await super.publish(exported);
      this.published += 1;
      return approved;
    }, exported);
  }

  /** From now on it publishes nothing, and says so with this code. */
  failWith(code: ErrorCode): void {
    this.publishing = () => Promise.reject(new EncryptionError(code, 'No.'));
  }

  /** From now on it publishes again. */
  recover(): void {
    this.publishing = (publish) => publish();
  }
}

/** What a device of alice's is opened with; in a key store of its own, if none is given. */
export function optionsOf(
  server: Directory,
  options: Partial<DeviceOptions> = {},
): Promise<CheckedOptions> {
  const usual = { ...PINS, identity: 'alice', server, password: 'password' };
  return checkDeviceOptions({ keyStore: new MemoryKeyStore(), ...usual, ...options });
}

/** Opens a device; options as {@link optionsOf}. */
export async function open(server: Directory, options?: Partial<DeviceOptions>): Promise<Device> {
  return openDevice(await optionsOf(server, options));
}

/** What a device tells of from now on, and what it was waiting to tell. */
export function heard<Name extends keyof DeviceEvents>(
  device: Device,
  name: Name,
): DeviceEvents[Name][] {
  const events: DeviceEvents[Name][] = [];
  device.events.on(name, (event) => events.push(event));
  return events;
}

/** Says on one device that another is the same person's. */
export async function confirm(on: Device, other: Device): Promise<void> {
  // Whoever is asked was told of it before.
  await on.devices.list();
  await on.acknowledge(on.identity, [other.card().id]);
}
