import express, { type Request } from 'express';
import { validateRequest } from 'twilio/lib/webhooks/webhooks.js';
import { z } from 'zod';
import { ServerError } from '../../domain/errors.ts';
import { staysEncrypted } from '../../domain/webhook-events.ts';
import { runParser } from '../input.ts';
import type { Operation, Route } from '../route.ts';

/** What it takes to believe Twilio. */
export interface WebhookParts {
  /** Of the account, with which Twilio signs. */
  readonly authToken: string;
  /** What Twilio is told to call: the signature is over it, whatever proxies make of it. */
  readonly url: string;
  /** `IS…`, whose messages are encrypted. */
  readonly serviceSid: string;
}

/** Bodies of 32 KiB and attributes of 4 KiB, escaped, and whatever else there is. */
const LIMIT = 256 * 1024;

const Form = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

const OPERATION: Operation = {
  summary: 'Twilio asks before it stores or changes a message; 403 is no.',
  security: 'twilioSignature',
  takes: {
    place: 'body',
    type: 'application/x-www-form-urlencoded',
    schema: Form,
    limit: LIMIT,
  },
  answers: { status: 200, schema: null },
  errors: [
    ...(['INVALID_REQUEST', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const),
    ...(['WEBHOOK_SIGNATURE_INVALID', 'NOT_ENCRYPTED', 'INTERNAL'] as const),
  ],
};

/**
 * `POST /v1/webhooks/twilio`: Twilio asks before it stores a message, and 403 is no. It asks for nothing
 * but what it is told, so the answer comes at once.
 *
 * Not limited: all that Twilio asks comes from a few addresses, and every refusal takes a message from
 * somebody. What it costs without a signature is to read 256 KiB at most, and one hash of them.
 */
export function webhookRoutes({ authToken, url, serviceSid }: WebhookParts): readonly Route[] {
  const parser = express.urlencoded({ extended: false, limit: LIMIT, inflate: false });
  return [
    {
      method: 'post',
      path: '/v1/webhooks/twilio',
      operation: OPERATION,
      handler: () => async (req, res) => {
        await runParser(parser, req, res);
        const form = Form.safeParse(req.body);
        const signature = signatureOf(req);
        if (!form.success || !validateRequest(authToken, signature, url, form.data)) {
          const message = 'This is not signed by Twilio with TWILIO_AUTH_TOKEN for this URL.';
          throw new ServerError('WEBHOOK_SIGNATURE_INVALID', message);
        }
        if (!staysEncrypted(singles(form.data), serviceSid)) {
          throw new ServerError('NOT_ENCRYPTED', 'Messages of this service are encrypted.');
        }
        // Without a body: with one, Twilio would look there for changes.
        res.status(200).end();
      },
    },
  ];
}

function signatureOf(req: Request): string {
  return req.get('X-Twilio-Signature') ?? '';
}

/** Of a parameter that comes twice, which Twilio never sends, nobody knows which one counts. */
function singles(form: z.output<typeof Form>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(form).map(([name, value]) => {
      if (typeof value === 'string') return [name, value];
      throw new ServerError('INVALID_REQUEST', 'There is a parameter twice.');
    }),
  );
}
