import { useSyncExternalStore } from 'react';
import type { Readable } from './store.ts';

/** The state of a store, always the current one. */
export function useStore<State>({ get, subscribe }: Readable<State>): State {
  return useSyncExternalStore(subscribe, get);
}
