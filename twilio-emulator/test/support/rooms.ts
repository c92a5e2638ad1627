import type { RunningEmulator } from '../../src/index.ts';
import { next, type Device, type NewRoom, type Room } from './sdk.ts';
import { settled } from './world.ts';

/** A room with its creator and others in it, as each of them sees it; all follow everything. */
export async function createRoom(
  emulator: RunningEmulator,
  owner: Device,
  others: readonly Device[],
  options: NewRoom = { uniqueName: 'u' },
): Promise<[Room, ...Room[]]> {
  const room = await owner.create(options);
  await room.raw.join();
  await room.members();
  const theirs: Room[] = [];
  for (const other of others) theirs.push(await admit(room, other));
  for (const { identity } of [owner, ...others]) await settled(emulator, identity);
  return [room, ...theirs];
}

/** Adds someone to a room; resolves to the room as the newcomer sees it, fully opened. */
export async function admit(room: Room, newcomer: Device): Promise<Room> {
  const joined = next(newcomer, 'roomJoined', (sid) => sid === room.sid);
  const listed = next(room, 'memberJoined');
  await room.raw.add(newcomer.identity);
  await listed;
  await joined;
  const theirs = await newcomer.roomBySid(room.sid);
  await theirs.members();
  return theirs;
}
