import { jsonBody, route, type Request, type Route } from '../router.ts';
import { channelBody, horizonBody, messageBody } from './bodies.ts';
import { createChannel, deleteChannel, findChannel, updateChannel } from './channels.ts';
import { configuration } from './configuration.ts';
import { conversationsRoutes } from './conversations.ts';
import { horizonIn } from './input.ts';
import { listing } from './listing.ts';
import { memberRoutes } from './member-routes.ts';
import * as members from './members.ts';
import * as messages from './messages.ts';
import type { Channel, Chat } from './model.ts';
import { CHANNEL, CHANNELS, NO_CONTENT, OWN_CHANNELS } from './paths.ts';
import { registrationRoutes } from './registrations.ts';
import { announceTyping, TYPING_TIMEOUT_S } from './typing.ts';
import { userRoutes } from './user-routes.ts';

/** The chat API. `/Client/v1` and `/Client/v2` are the same. */
export function chatRoutes(chat: Chat, serviceSid: string): readonly Route[] {
  return [
    route('GET', '/Client/*/Configuration', (request) => ({
      status: 200,
      body: configuration(request, serviceSid),
    })),
    route('POST', '/Client/*/Typing', (request) => {
      const sid = new URLSearchParams(request.payload).get('ChannelSid') ?? '';
      announceTyping(chat, findChannel(chat, sid, request.identity), request.identity);
      return { status: 200, body: { typing_timeout: TYPING_TIMEOUT_S } };
    }),
    ...channelRoutes(chat),
    ...ownChannelRoutes(chat),
    ...memberRoutes(chat),
    ...messageRoutes(chat),
    ...userRoutes(chat),
    ...registrationRoutes(chat),
    ...conversationsRoutes(chat),
  ];
}

function channelRoutes(chat: Chat): readonly Route[] {
  const find = finder(chat);
  return [
    route('POST', CHANNELS, (request) => {
      const channel = createChannel(chat, request.identity, jsonBody(request));
      return { status: 201, body: channelBody(channel, request.identity) };
    }),
    route('GET', CHANNELS, (request) => {
      const open = [...chat.channels.values()].filter(({ type }) => type === 'public');
      return listing(request, 'conversations', open, (one) => channelBody(one, request.identity));
    }),
    route('GET', CHANNEL, (request, id = '') => ({
      status: 200,
      body: channelBody(find(request, id), request.identity),
    })),
    route('POST', CHANNEL, (request, id = '') => {
      const channel = find(request, id);
      updateChannel(chat, channel, request.identity, jsonBody(request));
      return { status: 200, body: channelBody(channel, request.identity) };
    }),
    route('DELETE', CHANNEL, (request, id = '') => {
      deleteChannel(chat, find(request, id), request.identity);
      return NO_CONTENT;
    }),
  ];
}

function ownChannelRoutes(chat: Chat): readonly Route[] {
  const find = finder(chat);
  return [
    route('GET', OWN_CHANNELS, (request) => {
      const { identity } = request;
      const own = [...chat.channels.values()].filter(
        ({ members, invited }) => members.has(identity) || invited.has(identity),
      );
      return listing(request, 'conversations', own, (one) => channelBody(one, identity));
    }),
    route('GET', `${OWN_CHANNELS}/:channel`, (request, id = '') => ({
      status: 200,
      body: channelBody(find(request, id), request.identity),
    })),
    route('POST', `${OWN_CHANNELS}/:channel`, (request, id = '') => {
      const { identity } = request;
      const channel = find(request, id);
      const body = jsonBody(request);
      const horizon = horizonIn(body);
      const level = body['notification_level'];
      if (horizon !== undefined) members.setHorizon(chat, channel, identity, horizon);
      if (level !== undefined) members.setNotificationLevel(chat, channel, identity, level);
      return { status: 200, body: horizonBody(channel, identity) };
    }),
  ];
}

function messageRoutes(chat: Chat): readonly Route[] {
  const find = finder(chat);
  return [
    route('POST', `${CHANNEL}/Messages`, (request, id = '') => {
      const channel = find(request, id);
      const message = messages.sendMessage(chat, channel, request.identity, jsonBody(request));
      return { status: 201, body: messageBody(channel, message) };
    }),
    route('POST', `${CHANNEL}/Messages/:message`, (request, id = '', sid = '') => {
      const channel = find(request, id);
      const message = messages.findMessage(channel, sid);
      messages.updateMessage(chat, channel, message, request.identity, jsonBody(request));
      return { status: 200, body: messageBody(channel, message) };
    }),
    route('DELETE', `${CHANNEL}/Messages/:message`, (request, id = '', sid = '') => {
      const channel = find(request, id);
      const message = messages.findMessage(channel, sid);
      messages.removeMessage(chat, channel, message, request.identity);
      return NO_CONTENT;
    }),
  ];
}

function finder(chat: Chat): (request: Request, id: string) => Channel {
  return (request, id) => findChannel(chat, id, request.identity);
}
