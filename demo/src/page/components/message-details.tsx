import type { ReactNode } from 'react';
import type { MessageEncryption } from 'twilio-chat-encryption';
import type { MessageView } from '../models/message-view.ts';
import type { Session } from '../session/session.ts';
import { ANOMALY, reasonOf, STATUS, TRUST } from '../texts/reasons.ts';
import { exactTime } from './dates.ts';
import { FileVerdict } from './file-verdict.tsx';
import { AlertIcon, ComparedIcon, LockIcon } from './icons.tsx';
import { SidePanel } from './side-panel.tsx';
import { StoredMessage } from './stored-message.tsx';

interface MessageDetailsProps {
  readonly session: Session;
  readonly channelSid: string;
  readonly message: MessageView;
  readonly onClose: () => void;
}

/** What is known of a message, and what Twilio has of it. */
export function MessageDetails(props: MessageDetailsProps): ReactNode {
  const { session, channelSid, message, onClose } = props;
  const { encryption } = message;
  return (
    <SidePanel title="Message details" onClose={onClose}>
      {encryption.status === 'verified' ? (
        <Verified encryption={encryption} message={message} />
      ) : (
        <NotShown encryption={encryption} message={message} />
      )}
      <StoredMessage session={session} channelSid={channelSid} message={message} />
    </SidePanel>
  );
}

interface VerdictProps<Status extends MessageEncryption['status']> {
  readonly encryption: Extract<MessageEncryption, { status: Status }>;
  readonly message: MessageView;
}

function Verified({ encryption, message }: VerdictProps<'verified'>): ReactNode {
  const { sender, trust, sentAt, anomalies } = encryption;
  return (
    <section>
      <p className={`verdict ${trust === 'changed' ? 'doubtful' : 'good'}`}>
        {trust === 'changed' ? <AlertIcon /> : <LockIcon />}
        <span>
          <strong>Verified</strong> Signed by {sender.identity} and unchanged.
        </span>
      </p>
      {message.file && message.file !== 'missing' && <FileVerdict media={message.file} />}
      <dl className="facts">
        <Fact name="Sender">{sender.identity}</Fact>
        <Fact name="Device">{sender.device ?? 'not named'}</Fact>
        <Fact name="Card">
          <code title={sender.cardId}>{shortId(sender.cardId)}</code>
        </Fact>
        <Fact name="Trust">
          {trust === 'verified' && <ComparedIcon />} <strong>{TRUST[trust].title}.</strong>{' '}
          {TRUST[trust].text}
        </Fact>
        <Fact name="Sent">
          <Moment date={sentAt} clock="sender’s clock" />
        </Fact>
        <Fact name="Arrived">
          <Moment date={message.date} clock="Twilio’s clock" />
        </Fact>
        {anomalies.map(({ code }) => (
          <Fact key={code} name="Odd">
            {ANOMALY[code]} <code>{code}</code>
          </Fact>
        ))}
      </dl>
    </section>
  );
}

function NotShown({
  encryption,
  message,
}: VerdictProps<Exclude<MessageEncryption['status'], 'verified'>>): ReactNode {
  const reason = reasonOf(encryption);
  return (
    <section>
      <p className={`verdict ${encryption.status === 'rejected' ? 'bad' : 'doubtful'}`}>
        <AlertIcon />
        <span>
          <strong>{reason.title}</strong> {reason.text}
        </span>
      </p>
      <dl className="facts">
        <Fact name="Status">{STATUS[encryption.status]}</Fact>
        <Fact name="Code">
          <code>{encryption.code}</code>
        </Fact>
        <Fact name="Author">{message.author}, as Twilio says; not proven</Fact>
        <Fact name="Arrived">
          <Moment date={message.date} clock="Twilio’s clock" />
        </Fact>
      </dl>
    </section>
  );
}

function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface MomentProps {
  readonly date: Date;
  readonly clock: string;
}

function Moment({ date, clock }: MomentProps): ReactNode {
  return (
    <>
      {exactTime(date)} <small>{clock}</small>
    </>
  );
}

function shortId(id: string): string {
  return `${id.slice(0, 8)} … ${id.slice(-8)}`;
}
