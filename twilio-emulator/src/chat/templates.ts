import { refuse } from '../errors.ts';
import { isRecord, parseJson, type JsonRecord } from '../json.ts';
import { newSid } from '../sids.ts';
import { storeMedia } from './media.ts';
import type { Chat, Media } from './model.ts';
import type { ContentTemplate } from './outside.ts';

/** What the operator makes a template of. */
export type NewTemplate = Pick<ContentTemplate, 'friendlyName' | 'variables' | 'body'>;

/** Adds a template that messages can be made of; the service fills in its `{{1}}`. */
export function addTemplate(chat: Chat, template: NewTemplate): ContentTemplate {
  const today = chat.today();
  const added = { sid: newSid('HX'), ...template, dateCreated: today, dateUpdated: today };
  chat.templates.set(added.sid, added);
  return added;
}

/** What the service makes of a template for a message: a text, and the content as a file. */
export interface Rendered {
  readonly contentSid: string;
  readonly text: string;
  readonly file: Media;
}

/** The template in a request with its variables filled in; null if the request has none. */
export function renderedIn(chat: Chat, author: string, request: JsonRecord): Rendered | null {
  const { content_sid: contentSid, content_variables: given } = request;
  if (contentSid === undefined) return null;
  const template = typeof contentSid === 'string' ? chat.templates.get(contentSid) : undefined;
  if (template === undefined) throw refuse('templateNotFound');
  const variables = { ...template.variables, ...textsIn(given) };
  const text = template.body.replaceAll(/\{\{(\w+)\}\}/g, (hole, name: string) =>
    Object.hasOwn(variables, name) ? (variables[name] ?? hole) : hole,
  );
  const file = storeMedia(chat, author, {
    category: 'body',
    filename: null,
    // `getContentData` in message.js knows the content by this type.
    contentType: 'application/x-vnd.com.twilio.rich.twilio.text',
    bytes: Buffer.from(JSON.stringify({ data: { body: text } })),
  });
  return { contentSid: template.sid, text, file };
}

function textsIn(json: unknown): Record<string, string> {
  const variables = typeof json === 'string' ? parseJson(json) : {};
  if (!isRecord(variables)) throw refuse('invalidRequest', 'content_variables');
  const texts = Object.entries(variables).map(([name, value]) => [name, String(value)]);
  return Object.fromEntries<string>(texts.map(([name = '', value = '']) => [name, value]));
}
