import { route, type Answer, type Request, type Route } from '../router.ts';
import { findChannel } from './channels.ts';
import type { Chat } from './model.ts';

const CHANNEL = '/Client/*/Conversations/:channel';
const NO_MORE = { previous_token: null, next_token: null };

/** What only the Conversations SDK asks for. None of it exists here, so every list is empty. */
export function conversationsRoutes(chat: Chat): readonly Route[] {
  const nothing =
    (name: string) =>
    (request: Request, channel = ''): Answer => {
      findChannel(chat, channel, request.identity);
      return { status: 200, body: { [name]: [], meta: NO_MORE } };
    };
  return [
    route('GET', '/Client/*/ContentTemplates', () => ({
      status: 200,
      body: { templates: [], meta: NO_MORE },
    })),
    route('GET', `${CHANNEL}/MessageRecipients`, nothing('message_recipients')),
    route('GET', `${CHANNEL}/Messages/:message/Receipts`, nothing('delivery_receipts')),
  ];
}
