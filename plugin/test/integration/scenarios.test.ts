import { chatDevice, conversationsDevice } from './rooms.ts';
import { scenarios } from './scenarios.ts';
import { seenBy } from './seen.ts';
import { startWorld } from './world.ts';

scenarios(async () => {
  const world = await startWorld();
  return {
    async device(sdk, identity) {
      const person = await world.person(identity);
      if (sdk === 'twilio-chat') return chatDevice(identity, person.client);
      const raw = await world.conversations(person);
      return conversationsDevice(identity, person.encryption.wrapClient(raw));
    },
    seen: () => Promise.resolve(seenBy(world.emulator)),
    close: () => world.close(),
  };
});
