import type { Comparison } from '../models/comparison.ts';

/** What is open beside the messages: one at a time. */
export type Panel =
  | { readonly kind: 'devices' | 'members' }
  | { readonly kind: 'comparison'; readonly comparison: Comparison }
  | { readonly kind: 'message'; readonly sid: string };
