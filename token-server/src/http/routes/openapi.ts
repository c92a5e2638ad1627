import { z } from 'zod';
import { NOTHING } from '../input.ts';
import { describeRoutes } from '../openapi.ts';
import { publicRoute, type Route } from '../route.ts';

const Document = z.looseObject({ openapi: z.literal('3.1.1') });

/** `GET /v1/openapi.json`: what this server's routes take and answer, itself among them. */
export function openApiRoutes(others: readonly Route[]): readonly Route[] {
  const own = publicRoute({
    method: 'get',
    path: '/v1/openapi.json',
    summary: 'This document.',
    takes: NOTHING,
    answers: { status: 200, schema: Document },
    answer: () => ({ body: document }),
  });
  const document = Document.parse(describeRoutes([...others, own]));
  return [own];
}
