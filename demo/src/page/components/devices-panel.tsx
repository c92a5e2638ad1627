import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import { isRevoked } from '../models/own-devices.ts';
import { useStore } from '../models/use-store.ts';
import type { Outcome } from '../texts/devices.ts';
import { explain } from '../texts/failures.ts';
import { BackupSection } from './backup-section.tsx';
import { DeviceDialog, type DeviceQuestion } from './device-dialog.tsx';
import { DeviceList } from './device-list.tsx';
import { Notice } from './notice.tsx';
import { SidePanel } from './side-panel.tsx';
import { Spinner } from './spinner.tsx';
import { Verdict } from './verdict.tsx';

interface DevicesPanelProps {
  readonly chat: Chat;
  readonly onErased: () => void;
  readonly onClose: () => void;
}

/** One's devices, the backup of their keys, and what can be done with this one. */
export function DevicesPanel({ chat, onErased, onClose }: DevicesPanelProps): ReactNode {
  const own = useStore(chat.devices);
  const { devices, failure } = own;
  const [question, setQuestion] = useState<DeviceQuestion | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const shown = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!outcome) return;
    shown.current?.focus();
    shown.current?.scrollIntoView({ block: 'nearest' });
  }, [outcome]);

  function ask(asked: DeviceQuestion): void {
    setOutcome(null);
    setQuestion(asked);
  }

  function done(next: Outcome): void {
    setQuestion(null);
    setOutcome(next);
  }

  return (
    <SidePanel title="Your devices" onClose={onClose}>
      {/* Always there: a live region that appears with its text is not read out. */}
      <div ref={shown} className="outcome" role="status" tabIndex={-1}>
        {outcome && <Verdict {...outcome} />}
      </div>
      {failure !== null && (
        <Notice kind="error">
          <p>{explain(failure)}</p>
          <button type="button" className="secondary" onClick={() => void chat.devices.refresh()}>
            Try again
          </button>
        </Notice>
      )}
      {devices && (
        <DeviceList
          devices={chat.devices}
          list={devices}
          mayChange={!isRevoked(own)}
          onRemove={(device) => {
            ask({ kind: 'remove', device });
          }}
        />
      )}
      {!devices && failure === null && <Spinner label="Asking for your devices…" />}
      <BackupSection
        backup={chat.backup}
        onSave={() => {
          ask({ kind: 'backup' });
        }}
        onRemove={() => {
          ask({ kind: 'remove-backup' });
        }}
      />
      <ThisDevice mayRenew={!isRevoked(own)} onAsk={ask} />
      {question && (
        <DeviceDialog
          chat={chat}
          question={question}
          onDone={done}
          onErased={onErased}
          onClose={() => {
            setQuestion(null);
          }}
        />
      )}
    </SidePanel>
  );
}

interface ThisDeviceProps {
  readonly mayRenew: boolean;
  readonly onAsk: (question: DeviceQuestion) => void;
}

function ThisDevice({ mayRenew, onAsk }: ThisDeviceProps): ReactNode {
  const button = (kind: 'renew' | 'change-password' | 'erase', label: string): ReactNode => (
    <button
      type="button"
      className={`secondary ${kind === 'erase' ? 'danger' : ''}`}
      onClick={() => {
        onAsk({ kind });
      }}
    >
      {label}
    </button>
  );
  return (
    <section className="stack">
      <h3>This device</h3>
      {mayRenew && button('renew', 'Renew its keys')}
      {button('change-password', 'Change your password')}
      {button('erase', 'Sign out and delete everything')}
    </section>
  );
}
