/**
 * Backups of a person's private keys, sealed under a password and kept by a server that cannot open them:
 * key records (`key-record.ts`) named `backup/<identity>`. What is in them: `protocol/backup.ts`.
 */
import { invalidArgument, passwordArgument } from '../arguments.ts';
import { EncryptionError, isEncryptionError } from '../errors.ts';
import { decodeBackup, encodeBackup, MAX_BACKUP_BYTES, type Backup } from '../protocol/backup.ts';
import { importCard } from '../protocol/card.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import { damaged, openKeyRecord, sealKeyRecord } from '../protocol/key-record.ts';
import { copyKeys, type StoredKeys } from '../protocol/key-ring.ts';
import { base64url, equal, type Bytes, type PasswordCost } from '../protocol/primitives.ts';
import type { DeletedKeys } from './deleted-keys.ts';
import type { BackupStore, Directory, StoredBackup } from './directory.ts';
import { importOwnCard } from './own-card.ts';
import { changeRing, type RingContext } from './rotation.ts';
import { arrayOf, isBoolean, isCardId, isCount, isText, nullOr, objectOf } from './shape.ts';
import { readState, updateState, type Records, type StateType } from './state.ts';

/** What a device knows of the backup that the server has, without opening it. */
export interface BackupState {
  /**
   * When it was made, by the clock of the device that made it, as of when this device made or restored it
   * last; null when it never did.
   */
  readonly savedAt: Date | null;
  /** The cards whose keys were in it then. Those of this device are, if its `cardId` is among them. */
  readonly cardIds: readonly CardId[];
  /** Whether it is another one by now: another device added its keys, or removed it and made a new one. */
  readonly isChanged: boolean;
}

/** A backup that was opened. */
export interface OpenedBackup extends Backup {
  /** Names this very version of it, see {@link StoredBackup}. */
  readonly tag: string;
}

/** The passwords that making a backup needs. */
export interface BackupPasswords {
  /** Of the backup from now on. */
  readonly password: string;
  /** Of the backup so far. */
  readonly formerPassword: string;
  /** Of this device. */
  readonly currentPassword: string;
}

/** What making backups works with. */
export interface BackupContext extends RingContext {
  readonly identity: Identity;
  readonly directory: Directory;
  readonly records: Records;
  readonly deleted: DeletedKeys;
  readonly now: () => number;
}

// As for signing in, see `login.ts`: whoever keeps the backup may guess at leisure.
const COST: PasswordCost = { memory: 64 * 1024, passes: 3, lanes: 1 };
const MAX_ATTEMPTS = 3;

/** What this device knows of the person's backup. */
interface Known {
  readonly generation: number;
  /** Whether it was removed from here, so that there may be none. */
  readonly isRemoved: boolean;
  /** What was in it when this device made or opened it last; null: it did not, or it removed it since. */
  readonly contents: Contents | null;
}

interface Contents {
  readonly tag: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly savedAt: number;
  readonly cardIds: readonly CardId[];
}

const KNOWN: StateType<Known> = {
  initial: { generation: 0, isRemoved: true, contents: null },
  isValid: objectOf<Known>({
    generation: isCount,
    isRemoved: isBoolean,
    contents: nullOr(
      objectOf<Contents>({ tag: isText, savedAt: isCount, cardIds: arrayOf(isCardId) }),
    ),
  }),
};
const NAME = 'backup';

/**
 * The backup of this person, or null when there is none.
 * @throws EncryptionError `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, the directory's errors
 */
export async function openBackup(
  identity: Identity,
  password: string,
  directory: Pick<Directory, 'backups'>,
): Promise<OpenedBackup | null> {
  const stored = await backupsOf(directory).read();
  return stored && open(identity, stored, password);
}

/** Remembers which backup was seen. */
export async function sawBackup(
  { tag, generation, savedAt, keys }: OpenedBackup,
  records: Records,
): Promise<void> {
  const contents = { tag, savedAt, cardIds: await Promise.all(keys.map(cardIdOf)) };
  await updateState(records, NAME, KNOWN, (known) => ({
    generation: Math.max(known.generation, generation),
    isRemoved: false,
    contents,
  }));
}

/**
 * What is known of the backup that the server has now; null when it has none.
 * @throws EncryptionError the directory's and the key store's errors
 */
export async function backupState({
  directory,
  records,
}: Pick<BackupContext, 'directory' | 'records'>): Promise<BackupState | null> {
  const stored = await backupsOf(directory).read();
  if (!stored) return null;
  const { contents } = await readState(records, NAME, KNOWN);
  if (!contents) return { savedAt: null, cardIds: [], isChanged: true };
  const { tag, savedAt, cardIds } = contents;
  return { savedAt: new Date(savedAt), cardIds, isChanged: tag !== stored.tag };
}

/**
 * Whether the server has a backup of the person who is signed in.
 * @throws EncryptionError the directory's errors
 */
export async function hasBackup(directory: Directory): Promise<boolean> {
  return (await backupsOf(directory).read()) !== null;
}

/**
 * Adds the keys of this device to the person's backup, or makes one. What was written is read back and
 * opened before it is called done.
 * @throws EncryptionError `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, `BACKUP_ROLLED_BACK`,
 * `BACKUP_CHANGED`, `BACKUP_TOO_LARGE`, the directory's and the key store's errors
 */
export async function makeBackup(
  passwords: BackupPasswords,
  context: BackupContext,
): Promise<void> {
  const own = await ownKeys(passwords.currentPassword, context);
  try {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      if (await addTo(own, passwords, context)) return;
    }
  } finally {
    wipe(own);
  }
  throw changed();
}

/**
 * Removes the backup, if there is one.
 * @throws EncryptionError `BACKUP_CHANGED`, the directory's errors
 */
export async function removeBackup({
  directory,
  records,
}: Pick<BackupContext, 'directory' | 'records'>): Promise<void> {
  const backups = backupsOf(directory);
  const stored = await backups.read();
  if (stored && !(await backups.remove(stored.tag))) throw changed();
  await updateState(records, NAME, KNOWN, (known) => ({
    ...known,
    isRemoved: true,
    contents: null,
  }));
}

/** A copy of the keys of this device, to be wiped. */
function ownKeys(password: string, context: BackupContext): Promise<readonly StoredKeys[]> {
  return changeRing(password, context, (ring) =>
    Promise.resolve({ ring: null, result: copyKeys(ring.keys) }),
  );
}

function wipe(keys: readonly StoredKeys[]): void {
  for (const { secrets } of keys) secrets.fill(0);
}

/** Whether the backup was written: not if somebody else did meanwhile. */
async function addTo(
  own: readonly StoredKeys[],
  { password, formerPassword }: BackupPasswords,
  context: BackupContext,
): Promise<boolean> {
  const { identity, records, random, now } = context;
  const backups = backupsOf(context.directory);
  const stored = await backups.read();
  const before = stored && (await open(identity, stored, formerPassword));
  try {
    const known = await readState(records, NAME, KNOWN);
    if (before ? before.generation < known.generation : !known.isRemoved) throw rolledBack();
    const generation = Math.max(known.generation, before?.generation ?? 0) + 1;
    const deleted = await context.deleted.ids();
    const keys = joined(own, await withoutDeleted(before?.keys ?? [], deleted));
    const secret = encodeBackup({ generation, savedAt: now(), keys });
    const sealing = sealKeyRecord(nameOf(identity), secret, password, random, COST);
    const record = await sealing.finally(() => secret.fill(0));
    if (record.length > MAX_BACKUP_BYTES) throw tooLarge(keys.length, record.length);
    const backup = base64url.encode(record);
    if (!(await backups.write(backup, stored?.tag ?? null))) return false;
    await sawBackup(await readBack(identity, backup, password, backups), records);
    return true;
  } finally {
    wipe(before?.keys ?? []);
  }
}

/** What was written, as the server gives it back; without its secrets. */
async function readBack(
  identity: Identity,
  backup: string,
  password: string,
  backups: BackupStore,
): Promise<OpenedBackup> {
  const read = await backups.read();
  if (read?.backup === backup) {
    const opened = await open(identity, read, password);
    wipe(opened.keys);
    return opened;
  }
  throw new EncryptionError(
    'DIRECTORY_REFUSED',
    'The backup was not saved: the directory does not give back what was written. Try again.',
  );
}

/** Also checks that what is in it can be used: whoever writes the next one takes it over. */
async function open(
  identity: Identity,
  { backup, tag }: StoredBackup,
  password: string,
): Promise<OpenedBackup> {
  const record = base64url.decode(backup);
  if (!record) throw damaged();
  const secret = await openKeyRecord(nameOf(identity), record, passwordArgument(password)).catch(
    (error: unknown) => {
      if (isEncryptionError(error, 'WRONG_PASSWORD')) throw wrongPassword(error);
      throw error;
    },
  );
  try {
    const opened = decodeBackup(secret);
    await Promise.all(opened.keys.map((one) => importOwnCard(one, identity)));
    return { tag, ...opened };
  } catch (error) {
    secret.fill(0);
    throw error;
  }
}

/**
 * Without those that this device deleted, so that a backup does not keep what is to be gone.
 * @param deleted ids of cards
 */
export async function withoutDeleted(
  keys: readonly StoredKeys[],
  deleted: ReadonlySet<CardId>,
): Promise<readonly StoredKeys[]> {
  const ids = await Promise.all(keys.map(cardIdOf));
  return keys.filter((_, index) => {
    const id = ids[index];
    return id !== undefined && !deleted.has(id);
  });
}

async function cardIdOf({ card }: StoredKeys): Promise<CardId> {
  return (await importCard(card)).id;
}

/** All of them, each card once. */
function joined(own: readonly StoredKeys[], others: readonly StoredKeys[]): readonly StoredKeys[] {
  const isOwn = (secrets: Bytes): boolean => own.some((one) => equal(one.secrets, secrets));
  return [...own, ...others.filter(({ secrets }) => !isOwn(secrets))];
}

function nameOf(identity: Identity): string {
  return `backup/${identity}`;
}

function wrongPassword(cause: unknown): EncryptionError {
  return new EncryptionError(
    'WRONG_PASSWORD',
    'The password does not open the backup. It is the one that it was made with; nobody can open it without, or replace it by another.',
    { cause, passwordOf: 'backup' },
  );
}

function backupsOf({ backups }: Pick<Directory, 'backups'>): BackupStore {
  if (backups) return backups;
  throw invalidArgument('server is a Directory without backups: it cannot keep any.');
}

function changed(): EncryptionError {
  return new EncryptionError(
    'BACKUP_CHANGED',
    'Not done: other devices of this person change the backup at the same time. Try again.',
  );
}

function tooLarge(cards: number, size: number): EncryptionError {
  return new EncryptionError(
    'BACKUP_TOO_LARGE',
    `Not saved: with the keys of ${cards} cards the backup has ${size} bytes, and a server keeps ${MAX_BACKUP_BYTES}. Delete old keys: open each device with keepKeysDays and call backup there. Keys of devices that are gone are left out after removeBackup and a new backup on each device.`,
  );
}

function rolledBack(): EncryptionError {
  return new EncryptionError(
    'BACKUP_ROLLED_BACK',
    'Not saved: the server has an older backup than the one that this device made or read, or none. Keys of other devices may be missing in it. removeBackup and a new backup on each device mend that.',
  );
}
