import type { ReactNode } from 'react';
import type { MessageView } from '../models/message-view.ts';
import type { StoredMessage as Stored } from '../models/stored-message.ts';
import type { Session } from '../session/session.ts';
import { SETTINGS } from '../settings.ts';
import { MessageFile } from './message-file.tsx';
import { Spinner } from './spinner.tsx';
import { StoredFile } from './stored-file.tsx';
import { StoredSide } from './stored-side.tsx';
import { StoredText } from './stored-text.tsx';
import { useStoredMessage } from './use-stored-message.ts';

interface StoredMessageProps {
  readonly session: Session;
  readonly channelSid: string;
  readonly message: MessageView;
}

/** The same message twice: as its reader sees it and as Twilio does. */
export function StoredMessage({ session, channelSid, message }: StoredMessageProps): ReactNode {
  const answer = useStoredMessage(session, channelSid, message);
  const stored = answer.state === 'loaded' ? answer.stored : null;
  return (
    <section className="stored" aria-label="What Twilio stores">
      <StoredSide title="You read" size={readSize(message)}>
        <Read message={message} />
      </StoredSide>
      <StoredSide title="What Twilio stores" size={stored && lengthOf(stored.text)}>
        {answer.state === 'loading' && <Spinner label="Asking…" />}
        {answer.state === 'failed' && <p className="muted">It could not be read.</p>}
        {stored && <StoredText text={stored.text} />}
      </StoredSide>
      {stored?.file && <FileSide stored={stored.file} message={message} />}
      <p className="hint">
        {SETTINGS.emulated
          ? 'Read from the store of the emulated Twilio. It also knows who wrote when, in which channel.'
          : 'What Twilio’s SDK delivered. Twilio also knows who wrote when, in which channel.'}
      </p>
    </section>
  );
}

function Read({
  message: { encryption, body, file },
}: {
  readonly message: MessageView;
}): ReactNode {
  if (encryption.status !== 'verified') return <p className="muted">Nothing. It is not shown.</p>;
  if (!file) return <p className="plaintext">{body}</p>;
  return (
    <div className="plaintext">
      <MessageFile file={file} />
    </div>
  );
}

interface FileSideProps {
  readonly stored: NonNullable<Stored['file']>;
  readonly message: MessageView;
}

function FileSide({ stored, message: { file } }: FileSideProps): ReactNode {
  const sentSize = file && file !== 'missing' ? file.size : null;
  return (
    <StoredSide title="The file, at Twilio" size={stored.size}>
      <StoredFile file={stored} sentSize={sentSize} />
    </StoredSide>
  );
}

function readSize({ encryption, body, file }: MessageView): number | null {
  if (encryption.status !== 'verified' || file === 'missing') return null;
  return file ? file.size : lengthOf(body);
}

function lengthOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
