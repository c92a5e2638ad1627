import { refuse } from '../errors.ts';
import { route, type Request, type Route } from '../router.ts';
import { receiptBody, recipientBody, templateBody } from './bodies.ts';
import { findChannel } from './channels.ts';
import { listing } from './listing.ts';
import type { Channel, Chat } from './model.ts';
import { CHANNEL } from './paths.ts';

/** What only the Conversations SDK asks for. */
export function conversationsRoutes(chat: Chat): readonly Route[] {
  const find = ({ identity }: Request, id: string): Channel => findChannel(chat, id, identity);
  return [
    route('GET', '/Client/*/ContentTemplates', (request) =>
      listing(request, 'templates', [...chat.templates.values()], templateBody),
    ),
    route('GET', `${CHANNEL}/MessageRecipients`, (request, id = '') => {
      const { deliveries } = find(request, id);
      const only = request.query.get('MessageSid');
      const sent = only === undefined ? [...deliveries.values()].flat() : deliveries.get(only);
      const byEmail = (sent ?? []).filter(({ to }) => to.type === 'email');
      return listing(request, 'message_recipients', byEmail, recipientBody);
    }),
    route('GET', `${CHANNEL}/Messages/:message/Receipts`, (request, id = '', sid = '') => {
      const channel = find(request, id);
      return listing(request, 'delivery_receipts', channel.deliveries.get(sid) ?? [], (delivery) =>
        receiptBody(channel, delivery),
      );
    }),
    route('GET', `${CHANNEL}/Messages/:message/ChannelMetadata`, (request, id = '', sid = '') => {
      const body = find(request, id).metadata.get(sid);
      if (body === undefined) throw refuse('noChannelMetadata');
      return { status: 200, body };
    }),
  ];
}
