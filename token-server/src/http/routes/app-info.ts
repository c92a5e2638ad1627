import { NO_BODY, publicRoute, type Route } from '../route.ts';

/** What the server says about itself. For display: a client never takes its pins from here. */
export interface AppInfo {
  /** Public key that approves cards, in base64url. */
  readonly appKey: string;
  /** Public key of the transparency log, in base64url. */
  readonly logKey: string;
  /** The deployment's name in login salts. */
  readonly origin: string;
}

/** `GET /v1/app`. */
export function appInfoRoutes(info: AppInfo): readonly Route[] {
  return [
    publicRoute({
      method: 'get',
      path: '/v1/app',
      body: NO_BODY,
      answer: () => ({ status: 200, body: info }),
    }),
  ];
}
