import {
  createCard,
  curves,
  exportCard,
  parseIdentity,
  xwing,
} from 'twilio-chat-encryption/protocol';
import { httpDirectory } from '../../src/client/directory.ts';
import { signUp } from './accounts.ts';
import { newKey } from './servers.ts';

/**
 * Signs people up who have a card and no client: they can be members, and read nothing.
 * @param postQuantum whether their cards have keys of suite 2
 */
export async function enrol(
  server: string,
  identities: readonly string[],
  postQuantum: boolean,
): Promise<void> {
  const backEnd = await curves();
  const random = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(32));
  for (const identity of identities) {
    const session = await signUp(server, identity, newKey());
    const card = await createCard(
      { identity: parseIdentity(identity), createdAt: Date.now() },
      await backEnd.importSigningKey(random()),
      await backEnd.importAgreementKey(random()),
      ...(postQuantum ? [await (await xwing()).importKey(random())] : []),
    );
    await httpDirectory(server, () => Promise.resolve(session)).publish(exportCard(card));
  }
}
