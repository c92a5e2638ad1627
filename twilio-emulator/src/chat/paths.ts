/** Paths of the chat API as the router knows them; they fit the addresses in urls.ts. */

/** The channels (Conversations: conversations) of the service. */
export const CHANNELS = '/Client/*/Conversations';

/** One of them, by sid or unique name. */
export const CHANNEL: `${typeof CHANNELS}/:channel` = `${CHANNELS}/:channel`;

/** Those the caller is in. */
export const OWN_CHANNELS = '/Client/*/MyConversations';

/** What a deletion is answered with. */
export const NO_CONTENT = { status: 204 } as const;
