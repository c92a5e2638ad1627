import type { ReactNode } from 'react';
import type { Backup } from '../models/backup.ts';
import { useStore } from '../models/use-store.ts';
import { momentOf } from './dates.ts';

interface BackupSectionProps {
  readonly backup: Backup;
  readonly onSave: () => void;
  readonly onRemove: () => void;
}

/** Whether there is a backup, and what can be done about it. */
export function BackupSection({ backup, onSave, onRemove }: BackupSectionProps): ReactNode {
  const { exists, savedAt } = useStore(backup);
  return (
    <section className="stack">
      <h3>Backup</h3>
      <BackupState backup={backup} />
      <div className="button-row">
        <button type="button" className="secondary" onClick={onSave}>
          {exists && savedAt ? 'Back up again' : 'Back up your keys'}
        </button>
        {exists && (
          <button type="button" className="secondary danger" onClick={onRemove}>
            Remove the backup
          </button>
        )}
      </div>
    </section>
  );
}

function BackupState({ backup }: { readonly backup: Backup }): ReactNode {
  const { exists, savedAt, isChanged } = useStore(backup);
  if (exists === null) return <p className="muted">Not known: the server does not answer.</p>;
  if (!exists) {
    return (
      <p className="warn-text">
        There is none. Who loses all devices loses all messages, and a new device can read nothing
        from before it.
      </p>
    );
  }
  if (!savedAt) {
    return (
      <p className="warn-text">
        The backup lacks the keys that this device has now. Back up again, or what is sent only to
        them cannot be restored.
      </p>
    );
  }
  return (
    <p>
      Has the keys of this device. Backed up {momentOf(savedAt)}.
      {isChanged && ' Another device of yours changed it since.'}
    </p>
  );
}
