/**
 * Twilio's limits, https://www.twilio.com/docs/conversations/conversations-limits
 * (Programmable Chat had the same ones, except for the numbers of members and channels).
 */

/** Bytes of a message's text in UTF-8. */
export const MAX_BODY_BYTES: number = 32 * 1024;

/** Bytes of the attributes of a message or of a member, as JSON in UTF-8. */
export const MAX_SMALL_ATTRIBUTES_BYTES: number = 4 * 1024;

/** Bytes of a channel's attributes, as JSON in UTF-8. */
export const MAX_CHANNEL_ATTRIBUTES_BYTES: number = 16 * 1024;

/** Characters of an identity, a friendly name or a unique name. */
export const MAX_NAME_LENGTH: number = 256;

/** Bytes of one file. */
export const MAX_MEDIA_BYTES: number = 150 * 1024 * 1024;

/** Files in one message; only Conversations sends more than one. */
export const MAX_MEDIA_PER_MESSAGE: number = 10;

/** Members of one channel. */
export const MAX_MEMBERS: number = 1000;

/** Channels one user is in or is invited to. */
export const MAX_CHANNELS_PER_USER: number = 1000;

/**
 * Bytes of one websocket message from a client. A bound of the emulator's own, wide enough that a
 * message somewhat over Twilio's limits is refused with its error code and not by a disconnection.
 */
export const MAX_FRAME_BYTES: number = 4 * 1024 * 1024;
