/**
 * Hosts and paths of the chat API are labels: clients send every request through their websocket,
 * to the addresses they are given here and in the answers.
 */
const API = 'https://aim.us1.twilio.com/Client/v2';

/** The collections. */
export const CONVERSATIONS: string = `${API}/Conversations`;

/** The caller's own conversations. */
export const MY_CONVERSATIONS: string = `${API}/MyConversations`;

/** The users of the service. */
export const USERS: string = `${API}/Users`;

/** Where signs of typing go. */
export const TYPING: string = `${API}/Typing`;

/** The configuration of a client. */
export const CONFIGURATION: string = `${API}/Configuration`;

/** The address of a channel. */
export function channelUrl(channelSid: string): string {
  return `${CONVERSATIONS}/${channelSid}`;
}

/** The address of a user. */
export function userUrl(identity: string): string {
  return `${USERS}/${encodeURIComponent(identity)}`;
}
