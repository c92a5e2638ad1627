import { messageIdOf, type CardId } from 'twilio-chat-encryption/protocol';
import type { Outlet } from '../../src/client/outlet.ts';
import type { Sender } from '../../src/client/sender.ts';
import { random } from '../protocol/people.ts';

/** Edits a message that this card signed; gives the envelope that takes its place. */
export async function edited(
  device: Pick<Sender, 'edit'>,
  outlet: Outlet,
  cardId: CardId,
  body: string,
): Promise<string> {
  const name = { cardId, messageId: messageIdOf(random(16)), sequence: 1 };
  const posted: string[] = [];
  const replace = (text: string): Promise<void> => Promise.resolve(void posted.push(text));
  await device.edit(outlet, {
    name,
    prepare: () =>
      Promise.resolve({ revision: 1, content: { body }, limit: outlet.limit, replace }),
  });
  return posted.at(-1) ?? '';
}
