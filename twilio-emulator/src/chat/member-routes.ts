import { jsonBody, route, type Request, type Route } from '../router.ts';
import { memberBody, outsiderBody } from './bodies.ts';
import { findChannel } from './channels.ts';
import { identityIn } from './input.ts';
import { listing } from './listing.ts';
import * as members from './members.ts';
import type { Channel, Chat } from './model.ts';
import * as outsiders from './outsiders.ts';
import { CHANNEL, NO_CONTENT } from './paths.ts';

/** Members, those outside of the chat among them, and the invitations to become one. */
export function memberRoutes(chat: Chat): readonly Route[] {
  const find = ({ identity }: Request, id: string): Channel => findChannel(chat, id, identity);
  return [
    route('POST', `${CHANNEL}/Participants`, (request, id = '') => {
      const body = jsonBody(request);
      const channel = find(request, id);
      if (body['messaging_binding'] !== undefined) {
        const outsider = outsiders.addOutsider(chat, channel, request.identity, body);
        return { status: 201, body: outsiderBody(chat, channel, outsider) };
      }
      const member = members.join(chat, channel, request.identity, identityIn(body), body);
      return { status: 201, body: memberBody(channel, member) };
    }),
    route('GET', `${CHANNEL}/Participants`, (request, id = '') => {
      const channel = find(request, id);
      return listing(request, 'participants', [...channel.members.values()], (member) =>
        memberBody(channel, member),
      );
    }),
    route('POST', `${CHANNEL}/Participants/:member+`, (request, id = '', who = '') => {
      const channel = find(request, id);
      const outsider = channel.outsiders.get(who);
      if (outsider !== undefined) {
        outsiders.updateOutsider(chat, channel, request.identity, outsider, jsonBody(request));
        return { status: 200, body: outsiderBody(chat, channel, outsider) };
      }
      const member = members.findMember(channel, who);
      members.updateMember(chat, channel, request.identity, member, jsonBody(request));
      return { status: 200, body: memberBody(channel, member) };
    }),
    route('DELETE', `${CHANNEL}/Participants/:member+`, (request, id = '', who = '') => {
      const channel = find(request, id);
      const { identity } = request;
      const outsider = channel.outsiders.get(who);
      if (outsider !== undefined) outsiders.removeOutsider(chat, channel, identity, outsider);
      else members.removeMember(chat, channel, identity, members.findMember(channel, who));
      return NO_CONTENT;
    }),
    route('POST', `${CHANNEL}/Invites`, (request, id = '') => {
      const channel = find(request, id);
      const identity = identityIn(jsonBody(request));
      members.invite(chat, channel, request.identity, identity);
      return { status: 201, body: { identity, conversation_sid: channel.sid } };
    }),
    route('DELETE', `${CHANNEL}/Invites/:identity+`, (request, id = '', who = '') => {
      members.uninvite(chat, find(request, id), request.identity, who);
      return NO_CONTENT;
    }),
  ];
}
