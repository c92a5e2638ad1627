import type { ReactNode } from 'react';
import type { FileFailure } from '../texts/files.ts';
import { AlertIcon } from './icons.tsx';

interface NotDecryptedProps {
  readonly failure: FileFailure;
  readonly name?: string;
  /** A way out, if there is one. */
  readonly children?: ReactNode;
}

/** In place of a file that cannot be shown: why. */
export function NotDecrypted({ failure, name, children }: NotDecryptedProps): ReactNode {
  const { title, text, code, isForged } = failure;
  return (
    <div className={`not-decrypted ${isForged ? 'forged' : ''}`} role="status">
      <AlertIcon />
      <div>
        <strong>{title}</strong>
        <p>{text}</p>
        <p className="not-decrypted-facts">
          {name !== undefined && <bdi>{name}</bdi>} {code !== null && <code>{code}</code>}{' '}
          {children}
        </p>
      </div>
    </div>
  );
}
