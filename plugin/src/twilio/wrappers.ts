import type { Channel, Client } from 'twilio-chat';
import type { Device } from '../client/device.ts';
import { channelFacade, type ChannelFeed } from './channel.ts';
import { clientFacade } from './client.ts';
import { once } from './once.ts';
import { people, type People } from './people.ts';

/** What facades need of one another: each SDK object has one facade for its life. */
export interface Wrappers extends People {
  readonly device: Device;
  /** Whether names and attributes that Twilio sees are allowed. */
  readonly clearMetadata: boolean;
  readonly client: (raw: Client) => Client;
  readonly channel: (raw: Channel) => Channel;
  /** What stands behind a channel's facade: its events, for the client's listeners. */
  readonly feed: (raw: Channel) => ChannelFeed;
}

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
