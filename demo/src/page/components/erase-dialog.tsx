import { useState, type ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import { isRevoked } from '../models/own-devices.ts';
import { useStore } from '../models/use-store.ts';
import { ActionDialog } from './action-dialog.tsx';
import { Notice } from './notice.tsx';

interface EraseDialogProps {
  readonly chat: Chat;
  readonly onErased: () => void;
  readonly onClose: () => void;
}

/** Asks before everything that this device keeps is deleted. */
export function EraseDialog({ chat, onErased, onClose }: EraseDialogProps): ReactNode {
  const { exists, savedAt } = useStore(chat.backup);
  const isLive = !isRevoked(useStore(chat.devices));
  const [withRemoval, setWithRemoval] = useState(true);
  return (
    <ActionDialog
      title="Delete everything on this device?"
      action="Sign out and delete"
      isDangerous
      progress="Deleting…"
      perform={async () => {
        await chat.erase(isLive && withRemoval);
        onErased();
      }}
      onClose={onClose}
    >
      <p>
        Your keys are deleted from this browser. After that it is like a new device: it can read
        nothing from before{exists && savedAt && ', unless you restore your backup'}.
      </p>
      {!(exists && savedAt) && (
        <Notice kind="warning">
          The keys of this device are in no backup. What no other device of yours can read is lost
          for good.
        </Notice>
      )}
      {isLive && (
        <label className="check">
          <input
            type="checkbox"
            checked={withRemoval}
            onChange={({ target }) => {
              setWithRemoval(target.checked);
            }}
          />
          Take this device off the list of your devices first, so that nobody encrypts for it any
          more
        </label>
      )}
    </ActionDialog>
  );
}
