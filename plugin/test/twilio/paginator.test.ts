import type { Message } from 'twilio-chat';
import { expect, test } from 'vitest';
import { openPaginator, type Paginator } from '../../src/twilio/core/paginator.ts';

/** What the SDK gives when messages were removed unseen: always one more page, with nothing on it. */
function endless(): Paginator<Message> & { turned: () => number } {
  let turned = 0;
  const page: Paginator<Message> = {
    items: [],
    hasNextPage: false,
    hasPrevPage: true,
    nextPage: () => Promise.reject(new Error('There is no next page.')),
    prevPage: () => {
      turned += 1;
      return Promise.resolve(page);
    },
  };
  return { ...page, turned: () => turned };
}

test('empty pages without end are not turned without end', async () => {
  const pages = endless();
  const page = await openPaginator(pages, (messages) => Promise.resolve([...messages]), 'prevPage');
  expect(page).toMatchObject({ items: [], hasPrevPage: true });
  expect(pages.turned()).toBe(10);
});
