import type { ReactNode } from 'react';
import type { Conversation } from '../models/conversation.ts';
import { useStore } from '../models/use-store.ts';
import { CloseIcon, FileIcon } from './icons.tsx';
import { roughSize } from './sizes.ts';

/** The files that are sent with the next message, and while they are sent. */
export function AttachedFiles({
  conversation,
}: {
  readonly conversation: Conversation;
}): ReactNode {
  const { attached, sending } = useStore(conversation);
  if (attached.length === 0) return null;
  return (
    <ul className="attached" aria-label="Attached files">
      {attached.map((file, place) => (
        <li key={`${place} ${file.name}`}>
          {/* They go out one after the other. */}
          {sending && place === 0 ? <span className="spinner-ring" /> : <FileIcon />}
          <bdi className="file-name">{file.name}</bdi>
          <small>{roughSize(file.size)}</small>
          <button
            type="button"
            className="icon-button"
            title="Remove"
            disabled={sending}
            onClick={() => {
              conversation.detach(file);
            }}
          >
            <CloseIcon />
            <span className="visually-hidden">Remove {file.name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
