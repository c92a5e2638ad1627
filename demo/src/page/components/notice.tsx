import type { ReactNode } from 'react';
import { AlertIcon, ComparedIcon } from './icons.tsx';

interface NoticeProps {
  /** `error` interrupts a screen reader, the others wait. */
  readonly kind: 'error' | 'warning' | 'good';
  readonly children: ReactNode;
}

/** Something that went wrong, needs attention, or went well. */
export function Notice({ kind, children }: NoticeProps): ReactNode {
  return (
    <div className={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
      {kind === 'good' ? <ComparedIcon /> : <AlertIcon />}
      <div>{children}</div>
    </div>
  );
}
