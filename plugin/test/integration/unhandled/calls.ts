/** What the application asked for, and how it ended. */
import { isEncryptionError } from 'twilio-chat-encryption';

/** How a call ended; `pending` when it did not. */
export interface Call {
  readonly name: string;
  outcome: string;
}

export interface Calls {
  readonly all: readonly Call[];
  /** Follows a call; what it gives is nobody else's affair. */
  add(name: string, promise: Promise<unknown>): void;
  /** When every call has ended. */
  settled(): Promise<void>;
}

/** No calls yet. */
export function calls(): Calls {
  const all: Call[] = [];
  const ends: Promise<void>[] = [];
  return {
    all,
    add(name, promise) {
      const call: Call = { name, outcome: 'pending' };
      all.push(call);
      const ended = promise.then(
        () => {
          call.outcome = 'resolved';
        },
        (error: unknown) => {
          call.outcome = nameOf(error);
        },
      );
      ends.push(ended);
    },
    // A call may bring about others.
    async settled() {
      for (const end of ends) await end;
    },
  };
}

/** An error by its code, or by its class; of a mistake, also whose it is. */
function nameOf(error: unknown): string {
  if (isEncryptionError(error)) return error.code;
  if (!(error instanceof Error)) return String(error);
  const { name } = error.constructor;
  const [, thrownAt = ''] = (error.stack ?? '').split('\n');
  const isOfSdk = /\/node_modules\/(@twilio\/|twil)/.test(thrownAt);
  return error instanceof TypeError && isOfSdk ? `${name} of the SDK` : name;
}
