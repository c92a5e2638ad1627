/**
 * What most pages never use, or much later, in one piece: many pieces would tear apart what they share with
 * the rest, and with it what compresses well.
 */
export { hasBackup } from './backup.ts';
export { cards } from './cards.ts';
export { deviceChanges } from './device-changes.ts';
export { keys } from './keys.ts';
export { ownDevices } from './own-devices.ts';
export { safetyNumbers } from './safety-numbers.ts';
