import type { ReactNode } from 'react';
import type { RecipientNote } from '../models/conversation-state.ts';
import { recipientsAdded } from '../texts/recipients.ts';
import { PeopleIcon } from './icons.tsx';

interface RecipientsNotesProps {
  readonly notes: readonly RecipientNote[];
}

/** Lines between messages: who gets them for the first time. */
export function RecipientsNotes({ notes }: RecipientsNotesProps): ReactNode {
  return notes.map(({ identities }) => (
    <p key={identities.join()} className="recipients-note">
      <PeopleIcon /> {recipientsAdded(identities)}
    </p>
  ));
}
