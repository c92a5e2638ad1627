import { useState, type ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import { useStore } from '../models/use-store.ts';
import { UNNAMED } from '../texts/devices.ts';
import { momentOf } from './dates.ts';
import { Notice } from './notice.tsx';

interface BackupBannersProps {
  readonly chat: Chat;
  readonly onDevices: () => void;
}

/** What came of restoring, and then that the backup lacks the keys of this device. */
export function BackupBanners({ chat, onDevices }: BackupBannersProps): ReactNode {
  const { restored } = chat.session;
  const { exists, savedAt } = useStore(chat.backup);
  const [isRead, setRead] = useState(restored === null);
  const [isLater, setLater] = useState(false);

  if (!isRead) {
    return (
      <RestoredBanner
        chat={chat}
        onRead={() => {
          setRead(true);
        }}
      />
    );
  }
  if (!exists || savedAt || isLater) return null;
  return (
    <Notice kind="warning">
      <p>
        <strong>Your backup lacks the keys of this device.</strong> What is sent only to them cannot
        be restored. Back up again.
      </p>
      <button type="button" className="secondary" onClick={onDevices}>
        Go to the backup
      </button>
      <button
        type="button"
        className="secondary"
        onClick={() => {
          setLater(true);
        }}
      >
        Later
      </button>
    </Notice>
  );
}

interface RestoredBannerProps {
  readonly chat: Chat;
  readonly onRead: () => void;
}

function RestoredBanner({ chat, onRead }: RestoredBannerProps): ReactNode {
  const { restored } = chat.session;
  if (!restored) return null;
  const { savedAt, missing } = restored;
  return (
    <Notice kind={missing.length > 0 ? 'warning' : 'good'}>
      <p>
        <strong>Your keys were restored.</strong> The backup was made {momentOf(savedAt)}.
        {missing.length > 0 &&
          ' It lacks keys of some of your devices. Messages that were sent only to them cannot be read here:'}
      </p>
      {missing.length > 0 && (
        <ul className="bullets">
          {missing.map(({ cardId, device = UNNAMED, since }) => (
            <li key={cardId}>
              <bdi>{device}</bdi>, since {momentOf(since)}
            </li>
          ))}
        </ul>
      )}
      <button type="button" className="secondary" onClick={onRead}>
        OK
      </button>
    </Notice>
  );
}
