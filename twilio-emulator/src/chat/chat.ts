import { newSid } from '../sids.ts';
import type { Sync } from '../sync/store.ts';
import type { Chat, Notify } from './model.ts';

/** An empty chat service on top of a Sync store. */
export function createChat(sync: Sync, now: () => number, notify: Notify): Chat {
  return {
    sync,
    notify,
    today: () => new Date(now()).toISOString(),
    channels: new Map(),
    channelsByName: new Map(),
    users: new Map(),
    media: new Map(),
    registrations: new Map(),
    pushes: [],
    templates: new Map(),
    roles: { channelUser: newSid('RL'), channelAdmin: newSid('RL') },
  };
}
