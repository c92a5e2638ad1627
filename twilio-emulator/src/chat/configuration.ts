import { MAX_MEDIA_BYTES, MAX_MEDIA_PER_MESSAGE } from '../limits.ts';
import { mediaServiceUrl, mediaSetUrl } from '../media/urls.ts';
import type { Request } from '../router.ts';
import { channelsName, infoName } from './items.ts';
import { CONFIGURATION, CONVERSATIONS, MY_CONVERSATIONS, TYPING, USERS, userUrl } from './urls.ts';

/** What a client is told at its start. One answer serves both SDKs. */
export function configuration({ identity, origin }: Request, serviceSid: string): object {
  return {
    identity,
    url: CONFIGURATION,
    options: {
      consumption_report_interval: 'PT5S',
      user_infos_to_subscribe: 100,
      reachability_enabled: true,
      http_cache_interval: 'PT5S',
      my_conversations_page_size: 50,
      media_attachments_count_limit: MAX_MEDIA_PER_MESSAGE,
      media_attachment_size_limit_in_mb: MAX_MEDIA_BYTES / 2 ** 20,
      media_attachments_total_size_limit_in_mb: MAX_MEDIA_BYTES / 2 ** 20,
      email_histories_allowed_mime_types: ['text/plain', 'text/html'],
      email_bodies_allowed_mime_types: ['text/plain', 'text/html'],
    },
    sync_objects: { my_conversations: channelsName(identity), my_user_info: infoName(identity) },
    links: {
      conversations: CONVERSATIONS,
      my_conversations: MY_CONVERSATIONS,
      users: USERS,
      current_user: userUrl(identity),
      typing: TYPING,
      // The only addresses that clients reach over HTTP.
      media_service: mediaServiceUrl(origin, serviceSid),
      media_set_service: mediaSetUrl(origin, serviceSid),
      messages_receipts: `${CONVERSATIONS}/%s/Messages/%s/Receipts`,
    },
  };
}
