/** Parts of a device that most pages never use, or much later: each is loaded by its first call. */
import { onDemand } from '../loading.ts';
import type { Cards, CardsContext } from './cards.ts';
import { removeDevice } from './device-keys.ts';
import type { DeviceChanges, DeviceChangesContext, OpeningChanges } from './device-changes.ts';
import type { Keys, KeysContext } from './keys.ts';
import type { OwnDevices, OwnDevicesContext } from './own-devices.ts';
import type { SafetyNumbers, SafetyNumbersContext } from './safety-numbers.ts';

const rareParts = () => import('./rare-parts.ts');

/** See `keys.ts`. */
export function keysOnDemand(context: KeysContext): Keys {
  const part = onDemand(rareParts, ({ keys }) => keys(context));
  return Object.freeze<Keys>({
    generate: async (...args) => (await part()).generate(...args),
    load: async (...args) => (await part()).load(...args),
    exists: async (...args) => (await part()).exists(...args),
    delete: async (...args) => (await part()).delete(...args),
    import: async (...args) => (await part()).import(...args),
  });
}

/** See `cards.ts`. */
export function cardsOnDemand(context: CardsContext): Cards {
  const part = onDemand(rareParts, ({ cards }) => cards(context));
  return Object.freeze<Cards>({
    create: async (...args) => (await part()).create(...args),
    import: async (...args) => (await part()).import(...args),
    publish: async (...args) => (await part()).publish(...args),
    find: async (...args) => (await part()).find(...args),
    get: async (...args) => (await part()).get(...args),
    revoke: async (...args) => (await part()).revoke(...args),
  });
}

/** See `safety-numbers.ts`. */
export function safetyNumbersOnDemand(context: SafetyNumbersContext): SafetyNumbers {
  const part = onDemand(rareParts, ({ safetyNumbers }) => safetyNumbers(context));
  return {
    safetyNumber: async (...args) => (await part()).safetyNumber(...args),
    compareSafetyNumber: async (...args) => (await part()).compareSafetyNumber(...args),
    markVerified: async (...args) => (await part()).markVerified(...args),
    trustOf: async (...args) => (await part()).trustOf(...args),
  };
}

/** See `own-devices.ts`. */
export function ownDevicesOnDemand(context: OwnDevicesContext): OwnDevices {
  const part = onDemand(rareParts, ({ ownDevices }) => ownDevices(context));
  return {
    list: async () => (await part()).list(),
    revoke: async (...args) => (await part()).revoke(...args),
    endorse: async (...args) => (await part()).endorse(...args),
    endorseThis: async (...args) => (await part()).endorseThis(...args),
  };
}

/** See `device-changes.ts`. */
export function deviceChangesOnDemand(
  context: DeviceChangesContext,
): DeviceChanges & OpeningChanges {
  const part = onDemand(rareParts, ({ deviceChanges }) => deviceChanges(context));
  const { identity, keyStore, presence, scope, close } = context;
  return {
    rotate: async (...args) => (await part()).rotate(...args),
    changePassword: async (...args) => (await part()).changePassword(...args),
    backup: async (...args) => (await part()).backup(...args),
    removeBackup: async () => (await part()).removeBackup(),
    backupState: async () => (await part()).backupState(),
    addKeys: async (...args) => (await part()).addKeys(...args),

    // It is here, so that a device can be removed without the network.
    async cleanup() {
      await presence.check();
      // First the keys: what is left after a crash opens to nobody.
      await removeDevice(identity, keyStore);
      close();
      await keyStore.clear(scope);
    },

    async maintain(password, times) {
      if (times.rotateAfter === null && times.keepKeys === null) return;
      await (await part()).maintain(password, times);
    },
  };
}
