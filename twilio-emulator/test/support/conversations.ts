import { Client, type Conversation, type Message } from '@twilio/conversations';
import { conversationsSdk } from './conversations-sdk.ts';
import { next, type Device } from './sdk.ts';
import { createWorld, settled, type World } from './world.ts';

/** A connected client of @twilio/conversations itself, not under the common names. */
export async function conversationsClient(
  world: World,
  identity: string,
): Promise<{ device: Device; client: Client }> {
  const device = await world.device(conversationsSdk, identity);
  if (!(device.raw instanceof Client)) throw new TypeError('the wrong SDK');
  return { device, client: device.raw };
}

/** A conversation that Alice has created, as she and Bob see it; both follow everything. */
export async function conversationOfTwo(options = {}): Promise<{
  world: World;
  alice: Client;
  bob: Client;
  ours: Conversation;
  theirs: Conversation;
}> {
  const world = await createWorld(options);
  const { client: alice } = await conversationsClient(world, 'alice');
  const { device, client: bob } = await conversationsClient(world, 'bob');
  const ours = await alice.createConversation({ uniqueName: 'u', friendlyName: 'F' });
  await ours.join();
  const joined = next(device, 'roomJoined');
  await ours.add('bob', { seat: 1 });
  const theirs = await bob.getConversationBySid(await joined);
  await theirs.getParticipants();
  await ours.getParticipants();
  await settled(world.emulator, 'alice');
  await settled(world.emulator, 'bob');
  return { world, alice, bob, ours, theirs };
}

/** The next message that is heard in a conversation. */
export function nextMessage(conversation: Conversation): Promise<Message> {
  return new Promise((resolve) => conversation.once('messageAdded', resolve));
}
