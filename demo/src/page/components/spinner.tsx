import type { ReactNode } from 'react';

/** That something takes time, and what. */
export function Spinner({ label }: { readonly label: string }): ReactNode {
  return (
    <div className="spinner" role="status">
      <span className="spinner-ring" aria-hidden="true" />
      {label}
    </div>
  );
}
