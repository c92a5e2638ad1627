import type { Channel, Client } from 'twilio-chat';
import type { Device } from '../client/device.ts';
import { channelFacade } from './channel.ts';
import { clientFacade } from './client.ts';
import { once } from './once.ts';
import { people } from './people.ts';
import type { Wrappers } from './registry.ts';

/** The facades of one device. */
export function wrappers(device: Device, clearMetadata: boolean): Wrappers {
  const channels = once((raw: Channel) => channelFacade(raw, all));
  const clients = once((raw: Client) => clientFacade(raw, all));
  const all: Wrappers = {
    device,
    clearMetadata,
    ...people((raw) => channels(raw).facade, clearMetadata),
    client: clients,
    channel: (raw) => channels(raw).facade,
    feed: channels,
  };
  return all;
}
