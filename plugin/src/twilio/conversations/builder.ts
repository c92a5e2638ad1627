import type { MessageBuilder } from '@twilio/conversations';
import { facade } from '../core/facade.ts';
import { BUILDER_RULES } from './rules.ts';
import { unsentMessage, type SendPrepared } from './unsent-message.ts';

/**
 * The facade of a message builder: collects what is said, until it is encrypted and sent.
 * @param raw the SDK's, which is told nothing
 */
export function builderFacade(raw: MessageBuilder, send: SendPrepared): MessageBuilder {
  const unsent = unsentMessage(raw.build(), send);
  const self: MessageBuilder = facade(
    raw,
    BUILDER_RULES,
    {
      setBody(text) {
        unsent.text = text;
        return self;
      },
      setSubject(subject) {
        unsent.emailOptions.subject = subject;
        return self;
      },
      setAttributes(attributes) {
        unsent.attributes = attributes;
        return self;
      },
      addMedia(payload) {
        unsent.mediaContent.push(['media', payload]);
        return self;
      },
      // Twilio would have to read what follows: it is sent in clear conversations, and refused in all
      // others when it is to be sent.
      setEmailBody(_contentType, body) {
        unsent.mediaContent.push(['body', body]);
        return self;
      },
      setEmailHistory(_contentType, history) {
        unsent.mediaContent.push(['history', history]);
        return self;
      },
      setContentTemplate(contentSid, contentVariables = []) {
        Object.assign(unsent, { contentSid, contentVariables });
        return self;
      },
      build: () => unsent,
      buildAndSend: () => unsent.send(),
    },
    false,
  );
  return self;
}
