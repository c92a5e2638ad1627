import { z } from 'zod';
import { NOTHING } from '../input.ts';
import { publicRoute, type Route } from '../route.ts';
import { Base64url32 } from '../schemas.ts';

/** What the server says about itself. For display: a client never takes its pins from here. */
export interface AppInfo {
  /** Public key that approves cards, in base64url. */
  readonly appKey: string;
  /** Public key of the transparency log, in base64url. */
  readonly logKey: string;
  /** The deployment's name in login salts. */
  readonly origin: string;
}

const Info: z.ZodType<AppInfo> = z.strictObject({
  appKey: Base64url32,
  logKey: Base64url32,
  origin: z.string(),
});

/** `GET /v1/app`. */
export function appInfoRoutes(info: AppInfo): readonly Route[] {
  return [
    publicRoute({
      method: 'get',
      path: '/v1/app',
      summary: 'What this server is, for display. Clients take no pins from here.',
      takes: NOTHING,
      answers: { status: 200, schema: Info },
      answer: () => ({ body: info }),
    }),
  ];
}
