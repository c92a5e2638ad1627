import type { ReactNode } from 'react';
import type { Comparison } from '../models/comparison.ts';
import { useStore } from '../models/use-store.ts';
import { MARKED, resultOf } from '../texts/comparison.ts';
import { Verdict } from './verdict.tsx';

/** What the scanned code says, and whether this person is marked. */
export function ComparisonResult({ comparison }: { readonly comparison: Comparison }): ReactNode {
  const { result, isMarked } = useStore(comparison);
  const isMatch = result === null || result === 'match';
  if (isMarked && isMatch) return <Verdict tone="good" reason={MARKED} />;
  if (result === null) return null;
  const tone = isMatch ? 'good' : result === 'mismatch' ? 'bad' : 'doubtful';
  return <Verdict tone={tone} reason={resultOf(result, comparison.identity)} />;
}
