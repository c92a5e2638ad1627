import type { DeviceEvents } from 'twilio-chat-encryption';
import type { Device } from '../../src/client/device.ts';

type Told =
  | 'keyChanged'
  | 'unconnectedCards'
  | 'ownCardUnknown'
  | 'splitView'
  | 'deviceRevoked'
  | 'auditFailed';

/** What a device told its application so far. */
export type Heard = { readonly [Name in Told]: DeviceEvents[Name][] };

/** Of a device to which nothing happened. */
export const NOTHING_HEARD: Heard = {
  keyChanged: [],
  unconnectedCards: [],
  ownCardUnknown: [],
  splitView: [],
  deviceRevoked: [],
  auditFailed: [],
};

/** Listens to a device. */
export function hearing({ events }: Device): Heard {
  const heard = structuredClone(NOTHING_HEARD);
  events.on('keyChanged', (event) => heard.keyChanged.push(event));
  events.on('unconnectedCards', (event) => heard.unconnectedCards.push(event));
  events.on('ownCardUnknown', (event) => heard.ownCardUnknown.push(event));
  events.on('splitView', (event) => heard.splitView.push(event));
  events.on('deviceRevoked', (event) => heard.deviceRevoked.push(event));
  events.on('auditFailed', (event) => heard.auditFailed.push(event));
  return heard;
}

/** The first event of this name, when there is one. */
export async function told<Name extends Told>(
  { device, heard }: { readonly device: Device; readonly heard: Heard },
  name: Name,
): Promise<DeviceEvents[Name]> {
  const [before] = heard[name];
  if (before) return before;
  return new Promise((resolve) => {
    device.events.on(name, resolve);
  });
}
