import type { Channel, Client } from 'twilio-chat';
import type { Device } from '../../client/device.ts';
import { EncryptionError } from '../../errors.ts';
import { channelFacade } from './channel.ts';
import { channelRule, type ChannelChoice } from '../core/channel-rule.ts';
import { checkIdentity, clientFacade } from './client.ts';
import { isFacade } from '../core/facade.ts';
import { once } from '../core/once.ts';
import { people } from './people.ts';
import type { Wrappers } from './registry.ts';

/** The facades of one device. */
export function wrappers(device: Device, choice: ChannelChoice, clearMetadata: boolean): Wrappers {
  const channels = once((raw: Channel) => channelFacade(raw, all));
  const clients = once((raw: Client) => clientFacade(raw, all));
  const owners = new WeakMap<Channel, Client>();
  const all: Wrappers = {
    device,
    clearMetadata,
    rule: channelRule(device, choice),
    ...people((raw) => channels(raw).facade, clearMetadata),
    client: clients,
    channel: (raw) => channels(raw).facade,
    feed: channels,
    cameFrom: (channel, client) => void owners.set(channel, client),
    checkSender(channel) {
      const owner = owners.get(channel);
      if (owner) checkIdentity(owner, device);
    },
  };
  return all;
}

/**
 * `wrap` for what an application hands in.
 * @throws EncryptionError `INVALID_ARGUMENT` for what is wrapped already: it would encrypt twice
 */
export function unwrappedOnly<T extends object>(wrap: (raw: T) => T): (raw: T) => T {
  return (raw) => {
    if (!isFacade(raw)) return wrap(raw);
    throw new EncryptionError(
      'INVALID_ARGUMENT',
      'This is wrapped already. Wrap the object that the Twilio SDK gave you, once.',
    );
  };
}
