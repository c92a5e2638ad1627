import { createHmac } from 'node:crypto';
import type { EventParameters, WebhookEvent, WebhookProduct } from './chat/webhook-events.ts';
import { refuse } from './errors.ts';

/** Where the application is asked before something happens, as the Console has it. */
export interface WebhookConfig {
  /** Gets a POST for every event. */
  readonly url: string;
  /** Of the account: what the events are signed with. */
  readonly authToken: string;
  /** Whose words the events have. Default: 'conversations'. */
  readonly product?: WebhookProduct | undefined;
  /** Which events. Default: all that there are here. */
  readonly events?: readonly WebhookEvent[] | undefined;
  /** How long to wait for an answer, in milliseconds. Default: 5000, as at Twilio. */
  readonly timeout?: number | undefined;
}

const TIMEOUT_MS = 5_000;

/**
 * Asks the application whether something may happen. No answer in time and every other one than a
 * refusal (4xx) is a yes, as at Twilio; what an answer would change of a message is not changed.
 *
 * @throws TwilioError when it says no
 */
export async function askWebhook(config: WebhookConfig, event: EventParameters): Promise<void> {
  const { url, authToken, events, timeout = TIMEOUT_MS } = config;
  if (events?.includes(event.EventType) === false) return;
  const status = await post(url, timeout, event, sign(authToken, url, event));
  if (status >= 400 && status < 500) throw refuse('cancelledByWebhook');
}

async function post(
  url: string,
  timeout: number,
  event: EventParameters,
  signature: string,
): Promise<number> {
  try {
    const { status, body } = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams(event),
      headers: { 'X-Twilio-Signature': signature },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    });
    await body?.cancel();
    return status;
  } catch {
    // Nobody answers, or not in time.
    return 0;
  }
}

/** https://www.twilio.com/docs/usage/security#validating-requests */
function sign(authToken: string, url: string, event: EventParameters): string {
  const parameters = Object.entries(event).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = parameters.reduce((before, [name, value]) => before + name + value, url);
  return createHmac('sha1', authToken).update(text).digest('base64');
}
