import { Component, type ReactNode } from 'react';
import { Notice } from './notice.tsx';

interface ErrorBoundaryProps {
  readonly children: ReactNode;
}

/** Says that the page has a defect, instead of going blank. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { readonly broken: boolean }> {
  override readonly state = { broken: false };

  static getDerivedStateFromError(): { readonly broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <main className="sign-in">
        <Notice kind="error">
          <p>The page has a defect and stopped. Your key is safe in this browser.</p>
          <button
            type="button"
            className="secondary"
            onClick={() => {
              location.reload();
            }}
          >
            Reload
          </button>
        </Notice>
      </main>
    );
  }
}
