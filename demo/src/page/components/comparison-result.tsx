import type { ReactNode } from 'react';
import type { Comparison } from '../models/comparison.ts';
import { useStore } from '../models/use-store.ts';
import { MARKED, resultOf } from '../texts/comparison.ts';
import type { Reason } from '../texts/reasons.ts';
import { AlertIcon, ComparedIcon } from './icons.tsx';

/** What the scanned code says, and whether this person is marked. */
export function ComparisonResult({ comparison }: { readonly comparison: Comparison }): ReactNode {
  const { result, isMarked } = useStore(comparison);
  const isMatch = result === null || result === 'match';
  if (isMarked && isMatch) return <Verdict tone="good" reason={MARKED} />;
  if (result === null) return null;
  const tone = isMatch ? 'good' : result === 'mismatch' ? 'bad' : 'doubtful';
  return <Verdict tone={tone} reason={resultOf(result, comparison.identity)} />;
}

interface VerdictProps {
  readonly tone: 'good' | 'doubtful' | 'bad';
  readonly reason: Reason;
}

function Verdict({ tone, reason: { title, text } }: VerdictProps): ReactNode {
  return (
    <p className={`verdict ${tone}`}>
      {tone === 'good' ? <ComparedIcon /> : <AlertIcon />}
      <span>
        <strong>{title}</strong> {text}
      </span>
    </p>
  );
}
