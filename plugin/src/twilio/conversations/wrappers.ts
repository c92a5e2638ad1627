import type { Client, Conversation, Media } from '@twilio/conversations';
import type { IncomingFile } from '../core/incoming-files.ts';
import { once } from '../core/once.ts';
import { checkIdentity, type Wrapping } from '../core/wrapping.ts';
import { clientFacade } from './client.ts';
import { conversationFacade } from './conversation.ts';
import { knownMedia } from './known-media.ts';
import { mediaFacade } from './media.ts';
import { people } from './people.ts';
import type { Wrappers } from './registry.ts';

/** The facades of one device, for Conversations. */
export function conversationsWrappers(wrapping: Wrapping): Wrappers {
  const conversations = once((raw: Conversation) => conversationFacade(raw, all));
  const known = knownMedia<Media>();
  const media = once((file: IncomingFile<Media>) => {
    const made = mediaFacade(file);
    known.add(made, file.descriptor);
    return made;
  });
  const owners = new WeakMap<Conversation, Client>();
  const all: Wrappers = {
    ...wrapping,
    ...people((raw) => conversations(raw).facade, wrapping.clearMetadata),
    media,
    knownMedia: known.get,
    client: once((raw: Client) => clientFacade(raw, all)),
    conversation: (raw) => conversations(raw).facade,
    feed: conversations,
    cameFrom: (conversation, client) => void owners.set(conversation, client),
    checkSender(conversation) {
      const owner = owners.get(conversation);
      if (owner) checkIdentity(owner, wrapping.device);
    },
  };
  return all;
}
