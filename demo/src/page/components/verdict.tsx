import type { ReactNode } from 'react';
import type { Reason } from '../texts/reasons.ts';
import { AlertIcon, ComparedIcon } from './icons.tsx';

interface VerdictProps {
  readonly tone: 'good' | 'doubtful' | 'bad';
  readonly reason: Reason;
}

/** How something turned out. */
export function Verdict({ tone, reason: { title, text } }: VerdictProps): ReactNode {
  return (
    <p className={`verdict ${tone}`}>
      {tone === 'good' ? <ComparedIcon /> : <AlertIcon />}
      <span>
        <strong>{title}</strong> {text}
      </span>
    </p>
  );
}
