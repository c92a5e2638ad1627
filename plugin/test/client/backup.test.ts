/** Backups on a server that does not do what it says. */
import {
  Encryption,
  MemoryKeyStore,
  type Directory,
  type EncryptionOptions,
} from 'twilio-chat-encryption';
import { beforeEach, describe, expect, test } from 'vitest';
import { codeOf, failureOf } from '../outcomes.ts';
import { Server } from './devices.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

let server: Server;

beforeEach(() => {
  server = new Server();
});

function optionsOf(identity: string, directory: Directory = server): EncryptionOptions {
  const keyStore = new MemoryKeyStore();
  return { ...PINS, identity, server: directory, keyStore, password: 'password' };
}

describe('a backup is not called saved', () => {
  test('when the server does not give it back', async () => {
    const alice = await Encryption.open(optionsOf('alice'));
    await alice.backup('password');
    const first = server.backups.stored;
    server.backups.keeps = false;
    expect(await codeOf(alice.backup('password'))).toBe('DIRECTORY_REFUSED');
    expect(server.backups.stored).toBe(first);
    // It is not remembered either: the next one is not taken for a rollback.
    server.backups.keeps = true;
    await alice.backup('password');
  });

  test('when other devices are always faster; it is when they are done', async () => {
    const alice = await Encryption.open(optionsOf('alice'));
    await alice.backup('password');
    let others = 5;
    server.backups.before = () => {
      others -= 1;
      const { stored } = server.backups;
      if (others >= 0 && stored) server.backups.stored = { ...stored, tag: `other ${others}` };
    };
    expect(await codeOf(alice.backup('password'))).toBe('BACKUP_CHANGED');
    expect(await codeOf(alice.removeBackup())).toBe('BACKUP_CHANGED');
    others = 1;
    await alice.backup('password');
  });

  test('when the server hides the one that there was: other devices’ keys would not be in it', async () => {
    const phone = await Encryption.open(optionsOf('alice'));
    const laptop = await Encryption.open(optionsOf('alice'));
    await phone.backup('password');
    await laptop.backup('password');
    server.backups.stored = null;
    expect(await codeOf(laptop.backup('password'))).toBe('BACKUP_ROLLED_BACK');
    expect(server.backups.stored).toBeNull();
  });

  test('by a directory that keeps none', async () => {
    const alice = await Encryption.open(optionsOf('alice', new LoggedDirectory()));
    expect(await codeOf(alice.backup('password'))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(alice.removeBackup())).toBe('INVALID_ARGUMENT');
    expect(await codeOf(Encryption.restore(optionsOf('alice', new LoggedDirectory())))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});

describe('what a device knows of the backup', () => {
  test('is when it was made and which keys it has, until they are others', async () => {
    const before = Date.now();
    const laptop = await Encryption.open(optionsOf('alice'));
    expect(await laptop.backupState()).toBeNull();
    await laptop.backup('password');
    const state = await laptop.backupState();
    expect(state).toMatchObject({ cardIds: [laptop.cardId], isChanged: false });
    expect(state?.savedAt?.getTime()).toBeGreaterThanOrEqual(before);
    const old = laptop.cardId;
    await laptop.rotate('password');
    expect((await laptop.backupState())?.cardIds).toEqual([old]);
    await laptop.backup('password');
    expect((await laptop.backupState())?.cardIds).toEqual([laptop.cardId, old]);

    const phone = await Encryption.open(optionsOf('alice'));
    expect(await phone.backupState()).toEqual({ savedAt: null, cardIds: [], isChanged: true });
    await phone.backup('password');
    expect(await phone.backupState()).toMatchObject({
      cardIds: [phone.cardId, laptop.cardId, old],
      isChanged: false,
    });
    expect(await laptop.backupState()).toMatchObject({
      cardIds: [laptop.cardId, old],
      isChanged: true,
    });
    await laptop.removeBackup();
    expect(await laptop.backupState()).toBeNull();
    expect(await phone.backupState()).toBeNull();
  });

  test('that it restored is what was in it: not yet its own keys', async () => {
    const lost = await Encryption.open(optionsOf('alice'));
    await lost.backup('password');
    const { encryption, savedAt } = await Encryption.restore(optionsOf('alice'));
    expect(await encryption.backupState()).toEqual({
      savedAt,
      cardIds: [lost.cardId],
      isChanged: false,
    });
  });

  test('is nothing where none is kept', async () => {
    const alice = await Encryption.open(optionsOf('alice', new LoggedDirectory()));
    expect(await codeOf(alice.backupState())).toBe('INVALID_ARGUMENT');
    const server = new LoggedDirectory();
    expect(await codeOf(Encryption.hasBackup({ server }))).toBe('INVALID_ARGUMENT');
  });
});

describe('a restored device', () => {
  test('takes no other person’s backup, and none that was changed', async () => {
    const alice = await Encryption.open(optionsOf('alice'));
    await alice.backup('password');
    const { backup = '', tag = '' } = server.backups.stored ?? {};
    // Also with the very password.
    expect(await codeOf(Encryption.restore(optionsOf('mallory')))).toBe('KEY_RECORD_DAMAGED');
    const damaged = [
      `${backup.slice(0, -4)}AAAA`,
      backup.slice(0, 40),
      '',
      'not base64url!',
      `Ag${backup.slice(2)}`,
    ];
    for (const one of damaged) {
      server.backups.stored = { backup: one, tag };
      const failure = await failureOf(Encryption.restore(optionsOf('alice')));
      expect(['KEY_RECORD_DAMAGED', 'WRONG_PASSWORD']).toContain(failure.code);
    }
  });

  test('goes on with the device that is there, when it was broken off', async () => {
    const alice = await Encryption.open(optionsOf('alice'));
    await alice.backup('password');
    const options = optionsOf('alice');
    const { encryption: first } = await Encryption.restore(options);
    const cardId = first.cardId;
    first.close();
    const { encryption: again } = await Encryption.restore(options);
    expect(again.cardId).toBe(cardId);
    const devices = await again.devices();
    expect(devices.map(({ isReadable }) => isReadable)).toEqual([true, true]);
    expect(devices.map(({ trust }) => trust)).toEqual(['pinned', 'pinned']);
  });

  test('stands alone when no card of the backup is in use any more', async () => {
    const alice = await Encryption.open(optionsOf('alice'));
    const bob = await Encryption.open(optionsOf('bob'));
    expect(await bob.trustOf('alice')).toHaveLength(1);
    await alice.backup('password');
    await alice.revoke(alice.cardId);
    const { encryption, missing } = await Encryption.restore(optionsOf('alice'));
    expect(missing).toEqual([]);
    await bob.cards.find('alice');
    expect(await bob.trustOf('alice')).toEqual([{ cardId: encryption.cardId, trust: 'changed' }]);
  });
});

test('passwords of a backup are text, and not empty', async () => {
  const alice = await Encryption.open(optionsOf('alice'));
  expect(await codeOf(alice.backup('', { currentPassword: 'password' }))).toBe('INVALID_ARGUMENT');
  expect(await codeOf(alice.changePassword('password', ''))).toBe('INVALID_ARGUMENT');
  for (const wrong of [undefined, 7, '\ud800']) {
    const call: unknown = Reflect.apply((password: string) => alice.backup(password), null, [
      wrong,
    ]);
    expect(await codeOf(Promise.resolve(call))).toBe('INVALID_ARGUMENT');
  }
  expect(server.backups.stored).toBeNull();
});
