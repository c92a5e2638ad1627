/**
 * What a push notification says in place of its text, which Twilio made of an envelope, or of words
 * that nobody signed. Its `data` tells which message it is about.
 */
export const PUSH_BODY = 'New message';
/** In place of the title, which has the channel's name. */
export const PUSH_TITLE = '';
