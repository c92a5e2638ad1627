import { decodeEntry, lookupFromJson, parseIdentity } from 'twilio-chat-encryption/protocol';
import { member } from './json.ts';

/**
 * Who of those that were asked for has a card that was not revoked, as an answer of the token server
 * says. It proves it, too, which the plugin looks at before it encrypts for anybody: this is to be shown.
 */
export function cardOwners(answer: unknown, asked: readonly string[]): ReadonlySet<string> {
  const found = lookupFromJson(member(answer, 'lookup'))?.found ?? [];
  // Of names that nobody can have the answer says nothing, and of a name that came twice once.
  const identities = [...new Set(asked)].filter(isIdentity);
  return new Set(
    identities.filter((_, index) => {
      const cards = new Set<string>();
      for (const { entry } of found[index]?.entries ?? []) {
        const decoded = decodeEntry(entry);
        if (decoded?.operation === 'approve') cards.add(decoded.cardId);
        else if (decoded) cards.delete(decoded.cardId);
      }
      return cards.size > 0;
    }),
  );
}

function isIdentity(name: string): boolean {
  try {
    parseIdentity(name);
    return true;
  } catch {
    return false;
  }
}
