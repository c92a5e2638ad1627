import {
  isEncryptionError,
  type Encryption,
  type SafetyNumber,
  type SafetyNumberComparison,
} from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** Where comparing with somebody stands. */
export interface ComparisonState {
  /** Null until it was computed. */
  readonly number: SafetyNumber | null;
  /** Why there is no number. */
  readonly failure: unknown;
  /** What the scanned code says. */
  readonly result: SafetyNumberComparison | null;
  /** Whether all of their devices are marked. */
  readonly isMarked: boolean;
}

/** Comparing safety numbers with one person. */
export interface Comparison extends Readable<ComparisonState> {
  readonly identity: string;
  /** Gets the number of now. What goes wrong is in the state. */
  readonly load: () => Promise<void>;
  /** Compares what their code says. */
  readonly scanned: (code: string) => Promise<void>;
  /** Marks their devices, as far as the number that is shown covers them. */
  readonly mark: () => Promise<void>;
}

const INITIAL: ComparisonState = { number: null, failure: null, result: null, isMarked: false };

/**
 * Starts comparing with somebody.
 * @param onMarked is told which cards are trusted from now on
 */
export function comparisonOf(
  encryption: Encryption,
  identity: string,
  onMarked: (cardIds: readonly string[]) => void,
): Comparison {
  const store = createStore(INITIAL);

  async function load(): Promise<void> {
    store.set(INITIAL);
    try {
      const number = await encryption.safetyNumber(identity);
      const cards = await encryption.trustOf(identity);
      store.patch({ number, isMarked: cards.every(({ trust }) => trust === 'verified') });
    } catch (failure) {
      store.patch({ failure });
    }
  }

  void load();

  return {
    ...store,
    identity,
    load,
    async scanned(code) {
      store.patch({ result: null });
      store.patch({ result: await encryption.compareSafetyNumber(identity, code) });
    },
    async mark() {
      const { number } = store.get();
      if (!number) return;
      try {
        onMarked(await encryption.markVerified(identity, number.digits));
        store.patch({ isMarked: true });
      } catch (error) {
        // What was compared holds no more, and must not look as if it did.
        if (isEncryptionError(error, 'SAFETY_NUMBER_CHANGED')) await load();
        throw error;
      }
    },
  };
}
