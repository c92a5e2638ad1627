/** What only Conversations knows: participants outside of the chat, and what is sent to them. */

/** A participant who is reached by SMS, WhatsApp or email. It has no identity. */
export interface Outsider {
  readonly sid: string;
  readonly type: 'sms' | 'whatsapp' | 'email';
  readonly address: string;
  readonly proxyAddress: string;
  /** Of an email address. */
  readonly name: string | null;
  readonly level: string | null;
  /** JSON text. */
  attributes: string;
  readonly dateCreated: string;
  dateUpdated: string;
}

/** How far a message has got on its way to an outsider. */
export type DeliveryStatus = 'sent' | 'delivered' | 'read' | 'undelivered' | 'failed';

/** A message that was sent on to an outsider. */
export interface Delivery {
  readonly sid: string;
  /** What the message is called in the network it was sent into. */
  readonly carrierSid: string;
  readonly messageSid: string;
  readonly to: Outsider;
  status: DeliveryStatus;
  readonly dateCreated: string;
  dateUpdated: string;
}

/** Text with holes, such as `Hello {{1}}`, that the service fills in for those who send it. */
export interface ContentTemplate {
  readonly sid: string;
  readonly friendlyName: string;
  /** Names of the holes, and what to put there if the sender does not say. */
  readonly variables: Readonly<Record<string, string>>;
  readonly body: string;
  readonly dateCreated: string;
  readonly dateUpdated: string;
}

/** What is known of how a message came from outside. */
export interface ChannelMetadata {
  readonly type: string;
  readonly data: object;
}

/** How many outsiders a message has reached: a part of the message's data. */
export type DeliverySummary = { readonly total: number } & Readonly<
  Record<DeliveryStatus, 'none' | 'some' | 'all'>
>;
