/**
 * A local Twilio chat backend that the real, unmodified Twilio SDKs connect to.
 *
 * @packageDocumentation
 */
export type { Credentials, EmulatorConfig, Loose } from './config.ts';
export { createEmulator, type Emulator } from './emulator.ts';
export { TwilioError } from './errors.ts';
export type { MediaCategory, MediaData } from './chat/data.ts';
export type { Registration, Role, SentPush } from './chat/model.ts';
export type { ChannelMetadata, ContentTemplate, DeliveryStatus } from './chat/outside.ts';
export type { NewTemplate } from './chat/templates.ts';
export type { Inspect, StoredChannel, StoredMedia, StoredMessage, StoredUser } from './inspect.ts';
export type {
  ClientRequest,
  Push,
  PushInterceptor,
  RequestFate,
  RequestInterceptor,
} from './interceptors.ts';
export type { JsonRecord } from './json.ts';
export type { WebhookConfig } from './webhooks.ts';
export type { WebhookEvent, WebhookProduct } from './chat/webhook-events.ts';
export type { HttpHandler } from './media/http.ts';
export type { IncomingMessage, Operate } from './operate.ts';
export type { ReceivedFrame } from './recorder.ts';
export type { EventType } from './sync/entity.ts';
export {
  clientOptions,
  startEmulator,
  type ClientOptions,
  type RunningEmulator,
  type StartOptions,
} from './start.ts';
export type { Manner, MediaParts, MessageParts, Tamper } from './tamper.ts';
