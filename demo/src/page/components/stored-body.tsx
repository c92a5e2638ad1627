import type { ReactNode } from 'react';
import { envelopeParts } from '../models/envelope-parts.ts';
import type { MessageView } from '../models/message-view.ts';
import type { Session } from '../session/session.ts';
import { SETTINGS } from '../settings.ts';
import { Spinner } from './spinner.tsx';
import { useStoredBody } from './use-stored-body.ts';

interface StoredBodyProps {
  readonly session: Session;
  readonly channelSid: string;
  readonly message: MessageView;
}

/** The same message twice: as its reader sees it and as Twilio does. */
export function StoredBody({ session, channelSid, message }: StoredBodyProps): ReactNode {
  const stored = useStoredBody(session, channelSid, message);
  return (
    <section className="stored" aria-label="What Twilio stores">
      <Side title="You read" size={message.encryption.status === 'verified' ? message.body : null}>
        {message.encryption.status === 'verified' ? (
          <p className="plaintext">{message.body}</p>
        ) : (
          <p className="muted">Nothing. It is not shown.</p>
        )}
      </Side>
      <Side title="What Twilio stores" size={stored.state === 'loaded' ? stored.body : null}>
        {stored.state === 'loading' && <Spinner label="Asking…" />}
        {stored.state === 'failed' && <p className="muted">It could not be read.</p>}
        {stored.state === 'loaded' && <Stored text={stored.body} />}
      </Side>
      <p className="hint">
        {SETTINGS.emulated
          ? 'Read from the store of the emulated Twilio. It also knows who wrote when, in which channel.'
          : 'The raw text that Twilio’s SDK delivered. Twilio also knows who wrote when, in which channel.'}
      </p>
    </section>
  );
}

interface SideProps {
  readonly title: string;
  /** The text to tell the size of, if there is one. */
  readonly size: string | null;
  readonly children: ReactNode;
}

function Side({ title, size, children }: SideProps): ReactNode {
  return (
    <div className="stored-side">
      <h3>
        {title}
        {size !== null && <span>{sizeOf(size)}</span>}
      </h3>
      {children}
    </div>
  );
}

function Stored({ text }: { readonly text: string }): ReactNode {
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
        <li className="part-rest">Sealed: signature, sender and text, padded</li>
      </ul>
    </>
  );
}

function headerOf(recipients: number | null): string {
  if (recipients === null) return 'which key message opens it';
  return `one-time keys for ${recipients} ${recipients === 1 ? 'device' : 'devices'}, unnamed`;
}

function sizeOf(text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  return `${bytes.toLocaleString()} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
