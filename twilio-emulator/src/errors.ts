import { STATUS_CODES } from 'node:http';

/**
 * HTTP status, Twilio error code and text of every refusal.
 * The codes are those of Twilio's error dictionary, https://www.twilio.com/docs/api/errors.
 */
const REFUSALS: Record<Refusal, readonly [status: number, code: number, message: string]> = {
  invalidRequest: [400, 20001, 'Invalid request'],
  notAllowed: [403, 50107, 'User unauthorized for command'],
  // The text is Twilio's; applications match it. The code is that of any 403: the dictionary has none.
  cancelledByWebhook: [403, 20403, 'Webhook cancelled processing of command'],
  unknownPath: [404, 20404, 'The requested resource was not found'],
  internal: [500, 20500, 'Internal server error'],
  friendlyNameTooLong: [400, 50003, 'Friendly name too long'],
  uniqueNameTooLong: [400, 50004, 'Unique name too long'],
  userNotFound: [404, 50200, 'User not found'],
  identityTooLong: [400, 50207, 'Identity too long'],
  tooManyChannels: [403, 50208, 'User channel limit exceeded'],
  alreadyInvited: [409, 50212, 'User already invited'],
  channelNotFound: [404, 50300, 'Channel not found'],
  // The dictionary has no code of its own for the attributes of messages and members.
  attributesTooLong: [400, 50303, 'Attributes too long'],
  attributesInvalid: [400, 50304, 'Attributes not valid JSON'],
  uniqueNameLikeSid: [400, 50306, 'Unique name should not match channel SID pattern'],
  uniqueNameTaken: [409, 50307, 'Channel with provided unique name already exists'],
  notMember: [403, 50400, 'User not member of channel'],
  memberNotFound: [404, 50402, 'Member not found'],
  tooManyMembers: [403, 50403, 'Channel member limit exceeded'],
  bindingExists: [409, 50416, 'Binding for this participant and proxy address already exists'],
  memberExists: [409, 50404, 'Member already exists'],
  messageNotFound: [404, 50500, 'Message not found'],
  bodyTooLong: [400, 50504, 'Message body parameter is too long'],
  mediaNotFound: [404, 50507, 'Media not found'],
  mediaAlreadySent: [400, 50508, 'Media already sent with another message'],
  templateNotFound: [404, 20404, 'Content template not found'],
  noChannelMetadata: [404, 50530, 'Channel metadata not found'],
  mediaTypeInvalid: [400, 50511, 'Invalid message media content type'],
  mediaTooLarge: [413, 50512, 'Message media size is too large'],
  syncNotAllowed: [403, 54007, 'Access forbidden for identity'],
  documentNotFound: [404, 54100, 'Document not found'],
  listNotFound: [404, 54150, 'List not found'],
  mapNotFound: [404, 54200, 'Map not found'],
};

/** Why a request is refused; each has one Twilio error code. */
export type Refusal =
  | 'invalidRequest'
  | 'notAllowed'
  | 'cancelledByWebhook'
  | 'unknownPath'
  | 'internal'
  | 'friendlyNameTooLong'
  | 'uniqueNameTooLong'
  | 'userNotFound'
  | 'identityTooLong'
  | 'tooManyChannels'
  | 'alreadyInvited'
  | 'channelNotFound'
  | 'attributesTooLong'
  | 'attributesInvalid'
  | 'uniqueNameLikeSid'
  | 'uniqueNameTaken'
  | 'notMember'
  | 'memberNotFound'
  | 'tooManyMembers'
  | 'bindingExists'
  | 'memberExists'
  | 'messageNotFound'
  | 'bodyTooLong'
  | 'mediaNotFound'
  | 'mediaAlreadySent'
  | 'templateNotFound'
  | 'noChannelMetadata'
  | 'mediaTypeInvalid'
  | 'mediaTooLarge'
  | 'syncNotAllowed'
  | 'documentNotFound'
  | 'listNotFound'
  | 'mapNotFound';

/** An error in Twilio's shape: an HTTP status and a code of its error dictionary. */
export class TwilioError extends Error {
  override readonly name = 'TwilioError';
  /** HTTP status. */
  readonly status: number;
  /** Code of Twilio's error dictionary. */
  readonly code: number;

  /** An error with this HTTP status, Twilio error code and text. */
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The error for one refusal; `detail` says what exactly was wrong. */
export function refuse(refusal: Refusal, detail?: string): TwilioError {
  const [status, code, message] = REFUSALS[refusal];
  return new TwilioError(status, code, detail === undefined ? message : `${message}: ${detail}`);
}

/** What was thrown as a Twilio error; anything unforeseen becomes a 500 without its details. */
export function asTwilioError(thrown: unknown): TwilioError {
  return thrown instanceof TwilioError ? thrown : refuse('internal');
}

/** The reason phrase that goes with an HTTP status. */
export function reason(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}
