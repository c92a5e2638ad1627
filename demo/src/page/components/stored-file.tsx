import type { ReactNode } from 'react';
import type { StoredFile as File } from '../models/stored-message.ts';
import { exactSize } from './sizes.ts';

interface StoredFileProps {
  readonly file: File;
  /** Bytes of the decrypted file, where this device knows it. */
  readonly sentSize: number | null;
}

/** What Twilio has of a file: octets, and a length that is not the file's own. */
export function StoredFile({ file, sentSize }: StoredFileProps): ReactNode {
  const { name, type, size, start } = file;
  return (
    <>
      <p className="ciphertext octets" role="group" aria-label="Stored file">
        {octets(start)}
        {size > start.length && ' …'}
      </p>
      <ul className="legend">
        <li className="part-rest">
          {name === null ? 'No name' : `Name: ${name}`}, type {type}
        </li>
        {sentSize !== null && (
          <li className="part-rest">Padded: the file itself has {exactSize(sentSize)}</li>
        )}
      </ul>
    </>
  );
}

function octets(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
