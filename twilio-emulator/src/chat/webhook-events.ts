import { jsonBody, decodeLeniently, type Request } from '../router.ts';
import type { JsonRecord } from '../json.ts';
import { mediaIn } from './input.ts';
import { findChannel } from './channels.ts';
import { mediaData } from './items.ts';
import { mediaOf } from './media.ts';
import { findMessage } from './messages.ts';
import type { MediaData } from './data.ts';
import type { Channel, Chat } from './model.ts';

/** Before a message is stored: Programmable Chat's name, and Conversations'. And before one is changed. */
export type WebhookEvent = 'onMessageSend' | 'onMessageAdd' | 'onMessageUpdate';

/** Whose webhooks are configured: each product has its own, in words of its own. */
export type WebhookProduct = 'chat' | 'conversations';

/** Where an event happens. */
interface Place {
  readonly accountSid: string;
  readonly serviceSid: string;
  readonly product: WebhookProduct;
}

/** What an application is asked about. */
export interface EventParameters {
  readonly EventType: WebhookEvent;
  readonly [parameter: string]: string;
}

const MESSAGES = /^\/Client\/v\d+\/Conversations\/([^/]+)\/Messages(?:\/([^/]+))?$/;

/**
 * What a request is about to do, as Twilio tells it in the words of the product whose webhooks are
 * configured. Null for requests that there are no events for here.
 *
 * @see https://www.twilio.com/docs/chat/webhook-events
 * @see https://www.twilio.com/docs/conversations/conversations-webhooks
 */
export function eventOf(
  chat: Chat,
  { accountSid, serviceSid, product }: Place,
  request: Request,
): EventParameters | null {
  const [, channelId, messageSid] = MESSAGES.exec(request.path) ?? [];
  if (request.method !== 'POST' || channelId === undefined) return null;
  const channel = findChannel(chat, decodeLeniently(channelId), request.identity);
  const isChat = product === 'chat';
  const body = jsonBody(request);
  const common = {
    AccountSid: accountSid,
    [isChat ? 'InstanceSid' : 'ChatServiceSid']: serviceSid,
    [isChat ? 'ChannelSid' : 'ConversationSid']: channel.sid,
    ClientIdentity: request.identity,
    Source: 'SDK',
    ...texts(body),
  };
  const author = isChat ? 'From' : 'Author';
  if (messageSid !== undefined) {
    const { key, data } = findMessage(channel, decodeLeniently(messageSid));
    const message = { MessageSid: data.sid, Index: String(key), [author]: data.author };
    return { ...common, ...message, ModifiedBy: request.identity, EventType: 'onMessageUpdate' };
  }
  const files = mediaIn(body).map((sid) => mediaData(mediaOf(chat, sid)));
  return {
    ...common,
    ...participant(channel, request.identity),
    ...(isChat ? firstFile(files) : allFiles(files)),
    [author]: request.identity,
    EventType: isChat ? 'onMessageSend' : 'onMessageAdd',
  };
}

function texts({ body, attributes }: JsonRecord): Record<string, string> {
  return {
    ...(typeof body === 'string' && { Body: body }),
    ...(typeof attributes === 'string' && { Attributes: attributes }),
  };
}

function participant({ members }: Channel, identity: string): Record<string, string> {
  const sid = members.get(identity)?.sid;
  return sid === undefined ? {} : { ParticipantSid: sid };
}

function firstFile([file]: readonly MediaData[]): Record<string, string> {
  if (file === undefined) return {};
  return {
    MediaSid: file.sid,
    MediaFilename: file.filename ?? '',
    MediaContentType: file.contentType,
    MediaSize: String(file.size),
  };
}

function allFiles(files: readonly MediaData[]): Record<string, string> {
  if (files.length === 0) return {};
  const list = files.map(({ sid, filename, contentType, size }) => ({
    Sid: sid,
    Filename: filename,
    ContentType: contentType,
    Size: size,
  }));
  return { Media: JSON.stringify(list) };
}
