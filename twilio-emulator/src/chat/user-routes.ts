import { refuse } from '../errors.ts';
import { jsonBody, route, type Route } from '../router.ts';
import { userBody } from './bodies.ts';
import { maySee } from './channels.ts';
import { listing } from './listing.ts';
import type { Chat } from './model.ts';
import { updateUser } from './users.ts';

/** Users, by themselves and as those of a channel. */
export function userRoutes(chat: Chat): readonly Route[] {
  return [
    route('GET', '/Client/*/Users', (request) => {
      const sid = request.query.get('ConversationSid') ?? '';
      const channel = chat.channels.get(sid);
      if (channel === undefined || !maySee(channel, request.identity)) {
        throw refuse('channelNotFound');
      }
      return listing(request, 'users', [...channel.members.keys()], (one) => userBody(chat, one));
    }),
    route('GET', '/Client/*/Users/:identity+', (_request, identity = '') => ({
      status: 200,
      body: userBody(chat, identity),
    })),
    route('POST', '/Client/*/Users/:identity+', (request, identity = '') => {
      if (identity !== request.identity) throw refuse('notAllowed');
      updateUser(chat, identity, jsonBody(request));
      return { status: 200, body: userBody(chat, identity) };
    }),
  ];
}
