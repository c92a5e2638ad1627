import type { ReactNode } from 'react';
import { AlertIcon } from './icons.tsx';

interface NoticeProps {
  /** `error` interrupts a screen reader, `warning` waits. */
  readonly kind: 'error' | 'warning';
  readonly children: ReactNode;
}

/** Something that went wrong or needs attention. */
export function Notice({ kind, children }: NoticeProps): ReactNode {
  return (
    <div className={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
      <AlertIcon />
      <div>{children}</div>
    </div>
  );
}
