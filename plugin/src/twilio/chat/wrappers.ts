import type { Channel, Client, Media } from 'twilio-chat';
import type { IncomingFile } from '../core/incoming-files.ts';
import { once } from '../core/once.ts';
import { checkIdentity, type Wrapping } from '../core/wrapping.ts';
import { channelFacade } from './channel.ts';
import { clientFacade } from './client.ts';
import { mediaFacade } from './media.ts';
import { people } from './people.ts';
import type { Wrappers } from './registry.ts';

/** The facades of one device, for twilio-chat. */
export function chatWrappers(wrapping: Wrapping): Wrappers {
  const channels = once((raw: Channel) => channelFacade(raw, all));
  const owners = new WeakMap<Channel, Client>();
  const all: Wrappers = {
    ...wrapping,
    ...people((raw) => channels(raw).facade, wrapping.clearMetadata),
    media: once((file: IncomingFile<Media>) => mediaFacade(file)),
    client: once((raw: Client) => clientFacade(raw, all)),
    channel: (raw) => channels(raw).facade,
    feed: channels,
    cameFrom: (channel, client) => void owners.set(channel, client),
    checkSender(channel) {
      const owner = owners.get(channel);
      if (owner) checkIdentity(owner, wrapping.device);
    },
  };
  return all;
}
