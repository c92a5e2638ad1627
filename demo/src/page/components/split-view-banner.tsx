import type { ReactNode } from 'react';
import type { SplitViewState } from '../models/split-view.ts';
import type { Readable } from '../models/store.ts';
import { useStore } from '../models/use-store.ts';
import { saveJson } from '../session/save-json.ts';
import { SETTINGS } from '../settings.ts';
import { Notice } from './notice.tsx';

interface SplitViewBannerProps {
  readonly splitView: Readable<SplitViewState>;
}

/** Says so when the server was caught cheating. It stays, and cannot be put away. */
export function SplitViewBanner({ splitView }: SplitViewBannerProps): ReactNode {
  const { evidence, isAuditFailed } = useStore(splitView);
  if (!evidence) return isAuditFailed ? <FailedAuditNotice /> : null;
  return (
    <Notice kind="error">
      <p>
        <strong>The server showed different people different keys.</strong> Somebody may be trying
        to read along. People whom you know from before are safe to write to. Do not trust anybody
        new, compare safety numbers, and tell whoever runs the server, with the evidence.
      </p>
      <button
        type="button"
        className="secondary"
        onClick={() => {
          const { logKey } = SETTINGS;
          saveJson('split-view.json', { server: location.origin, logKey, ...evidence });
        }}
      >
        Save the evidence
      </button>
    </Notice>
  );
}

function FailedAuditNotice(): ReactNode {
  return (
    <Notice kind="error">
      <p>
        <strong>The server does not show what it told others about you.</strong> Somebody may have
        written to a device in your name that is not yours, or to one that you removed. Look at your
        devices, and tell whoever runs the server.
      </p>
    </Notice>
  );
}
