import type { ReactNode } from 'react';
import { exactSize } from './sizes.ts';

interface StoredSideProps {
  readonly title: string;
  /** In bytes, if there is something. */
  readonly size: number | null;
  readonly children: ReactNode;
}

/** A message as somebody has it, under a heading. */
export function StoredSide({ title, size, children }: StoredSideProps): ReactNode {
  return (
    <div className="stored-side">
      <h3>
        {title}
        {size !== null && <span>{exactSize(size)}</span>}
      </h3>
      {children}
    </div>
  );
}
