import { EncryptionError } from '../errors.ts';
import { parseIdentity, type ChannelSid, type Identity } from '../protocol/identifiers.ts';
import { arrayOf, isText } from './shape.ts';
import { readState, type Records, type StateType, updateState } from './state.ts';

/** People who are about to get messages of this device in a channel for the first time. */
export interface NewRecipients {
  readonly channelSid: ChannelSid;
  readonly identities: readonly Identity[];
}

/**
 * What happens before somebody gets messages of this device in a channel for the first time. Twilio
 * says who the members are, so it could add anybody.
 * - `'open'` nothing
 * - `'notify'` the event `recipientAdded`, before the message is sent
 * - a function is asked to approve: unless it gives `true`, the message is not sent
 */
export type RecipientChoice =
  'open' | 'notify' | ((added: NewRecipients) => boolean | Promise<boolean>);

/** Applies the application's choice. */
export interface RecipientPolicy {
  /**
   * Checks the people that a message is about to be encrypted for.
   * @throws EncryptionError `RECIPIENT_UNAPPROVED`; what the application's function throws
   */
  readonly check: (channelSid: ChannelSid, identities: readonly Identity[]) => Promise<void>;
  /** Who got messages of this device in a channel so far, in the order in which they came. */
  readonly known: (channelSid: ChannelSid) => Promise<readonly Identity[]>;
}

/**
 * The choice, if it is one.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkedChoice(choice: RecipientChoice): RecipientChoice {
  if (choice === 'open' || choice === 'notify' || typeof choice === 'function') return choice;
  throw new EncryptionError(
    'INVALID_ARGUMENT',
    "recipients is 'open', 'notify', or a function that approves them.",
  );
}

const KNOWN: StateType<readonly string[]> = { initial: [], isValid: arrayOf(isText) };

/** The recipient policy of a device of this person. Errors are also those of {@link updateState}. */
export function recipientPolicy(
  store: Records,
  owner: Identity,
  choice: RecipientChoice,
  onAdded: (added: NewRecipients) => void,
): RecipientPolicy {
  const name = (channelSid: ChannelSid): string => `recipients/${channelSid}`;
  // Whoever was approved stays so: only somebody who is not in here is looked up in the store.
  const approved = new Map<ChannelSid, ReadonlySet<string>>();

  async function approve(added: NewRecipients): Promise<void> {
    if (choice === 'notify') onAdded(added);
    if (typeof choice !== 'function') return;
    // Plain JavaScript may give anything: only `true` approves.
    const approval: unknown = await choice(added);
    if (approval === true) return;
    const { identities } = added;
    throw new EncryptionError(
      'RECIPIENT_UNAPPROVED',
      `Not sent: ${identities.join(', ')} would get it, and the application did not approve that.`,
      { identities },
    );
  }

  return {
    async check(channelSid, identities) {
      const others = identities.filter((identity) => identity !== owner);
      if (others.every((identity) => approved.get(channelSid)?.has(identity))) return;
      const known = new Set(await readState(store, name(channelSid), KNOWN));
      const added = others.filter((identity) => !known.has(identity));
      if (added.length > 0) await approve({ channelSid, identities: added });
      const { after } = await updateState(store, name(channelSid), KNOWN, (current) => {
        const missing = added.filter((identity) => !current.includes(identity));
        return missing.length > 0 ? [...current, ...missing] : current;
      });
      approved.set(channelSid, new Set(after));
    },
    async known(channelSid) {
      const known = new Set(await readState(store, name(channelSid), KNOWN));
      return [...known].map(parseIdentity);
    },
  };
}
