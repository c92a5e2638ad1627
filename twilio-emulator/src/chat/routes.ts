import { refuse } from '../errors.ts';
import { jsonBody, route, type Request, type Route } from '../router.ts';
import { channelBody, horizonBody, memberBody, messageBody, userBody } from './bodies.ts';
import { createChannel, deleteChannel, findChannel, maySee, updateChannel } from './channels.ts';
import { configuration } from './configuration.ts';
import { conversationsRoutes } from './conversations.ts';
import { horizonIn, identityIn } from './input.ts';
import { listing } from './listing.ts';
import * as members from './members.ts';
import * as messages from './messages.ts';
import type { Channel, Chat } from './model.ts';
import { announceTyping, TYPING_TIMEOUT_S } from './typing.ts';

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
    ...inviteRoutes(chat),
    ...messageRoutes(chat),
    ...userRoutes(chat),
    ...conversationsRoutes(chat),
  ];
}

const CHANNELS = '/Client/*/Conversations';
const OWN_CHANNELS = '/Client/*/MyConversations';
const NO_CONTENT = { status: 204 } as const;

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
    route('GET', `${CHANNELS}/:channel`, (request, id = '') => ({
      status: 200,
      body: channelBody(find(request, id), request.identity),
    })),
    route('POST', `${CHANNELS}/:channel`, (request, id = '') => {
      const channel = find(request, id);
      updateChannel(chat, channel, request.identity, jsonBody(request));
      return { status: 200, body: channelBody(channel, request.identity) };
    }),
    route('DELETE', `${CHANNELS}/:channel`, (request, id = '') => {
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

function memberRoutes(chat: Chat): readonly Route[] {
  const find = finder(chat);
  return [
    route('POST', `${CHANNELS}/:channel/Participants`, (request, id = '') => {
      const body = jsonBody(request);
      if (body['messaging_binding'] !== undefined) throw refuse('notImplemented', 'bindings');
      const channel = find(request, id);
      const member = members.join(chat, channel, request.identity, identityIn(body), body);
      return { status: 201, body: memberBody(channel, member) };
    }),
    route('GET', `${CHANNELS}/:channel/Participants`, (request, id = '') => {
      const channel = find(request, id);
      return listing(request, 'participants', [...channel.members.values()], (member) =>
        memberBody(channel, member),
      );
    }),
    route('POST', `${CHANNELS}/:channel/Participants/:member+`, (request, id = '', who = '') => {
      const channel = find(request, id);
      const member = members.findMember(channel, who);
      members.updateMember(chat, channel, request.identity, member, jsonBody(request));
      return { status: 200, body: memberBody(channel, member) };
    }),
    route('DELETE', `${CHANNELS}/:channel/Participants/:member+`, (request, id = '', who = '') => {
      const channel = find(request, id);
      members.removeMember(chat, channel, request.identity, members.findMember(channel, who));
      return NO_CONTENT;
    }),
  ];
}

function inviteRoutes(chat: Chat): readonly Route[] {
  const find = finder(chat);
  return [
    route('POST', `${CHANNELS}/:channel/Invites`, (request, id = '') => {
      const channel = find(request, id);
      const identity = identityIn(jsonBody(request));
      members.invite(chat, channel, request.identity, identity);
      return { status: 201, body: { identity, conversation_sid: channel.sid } };
    }),
    route('DELETE', `${CHANNELS}/:channel/Invites/:identity+`, (request, id = '', who = '') => {
      members.uninvite(chat, find(request, id), request.identity, who);
      return NO_CONTENT;
    }),
  ];
}

function messageRoutes(chat: Chat): readonly Route[] {
  const find = finder(chat);
  return [
    route('POST', `${CHANNELS}/:channel/Messages`, (request, id = '') => {
      const channel = find(request, id);
      const message = messages.sendMessage(chat, channel, request.identity, jsonBody(request));
      return { status: 201, body: messageBody(channel, message) };
    }),
    route('POST', `${CHANNELS}/:channel/Messages/:message`, (request, id = '', sid = '') => {
      const channel = find(request, id);
      const message = messages.findMessage(channel, sid);
      messages.updateMessage(chat, channel, message, request.identity, jsonBody(request));
      return { status: 200, body: messageBody(channel, message) };
    }),
    route('DELETE', `${CHANNELS}/:channel/Messages/:message`, (request, id = '', sid = '') => {
      const channel = find(request, id);
      const message = messages.findMessage(channel, sid);
      messages.removeMessage(chat, channel, message, request.identity);
      return NO_CONTENT;
    }),
  ];
}

function userRoutes(chat: Chat): readonly Route[] {
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
  ];
}

function finder(chat: Chat): (request: Request, id: string) => Channel {
  return (request, id) => findChannel(chat, id, request.identity);
}
