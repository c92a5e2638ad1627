import type { ReactNode } from 'react';
import { envelopeParts } from '../models/envelope-parts.ts';

/** The stored text of a message, and what its parts are. */
export function StoredText({ text }: { readonly text: string }): ReactNode {
  const parts = envelopeParts(text);
  if (!parts) {
    return (
      <>
        <p className="ciphertext">{text}</p>
        <p className="warn-text">
          {text.startsWith('e2e')
            ? 'This is not a whole envelope.'
            : 'Readable text: this is not an encrypted message.'}
        </p>
      </>
    );
  }
  return (
    <>
      <p className="ciphertext" tabIndex={0} role="group" aria-label="Stored text">
        <span className="part-prefix">{parts.prefix}</span>
        <span className="part-header">{parts.header}</span>
        <span className="part-rest">{parts.rest}</span>
      </p>
      <ul className="legend">
        <li className="part-prefix">Format</li>
        <li className="part-header">Header: {headerOf(parts.recipients)}</li>
        <li className="part-rest">Sealed: signature, sender and content, padded</li>
      </ul>
    </>
  );
}

function headerOf(recipients: number | null): string {
  if (recipients === null) return 'which key message opens it';
  return `one-time keys for ${recipients} ${recipients === 1 ? 'device' : 'devices'}, unnamed`;
}
