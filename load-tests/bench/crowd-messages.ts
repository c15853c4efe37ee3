/** What the bench and the thread of one member say to each other. */
import type { CommitBody } from '@veilcast/client/membership';
import type { GroupTold } from '@veilcast/delivery';
import type { ErrorCode } from '@veilcast/protocol';

export type ToMember =
  | { readonly kind: 'event'; readonly event: GroupTold }
  | { readonly kind: 'answer'; readonly call: number; readonly epoch?: number; readonly code?: ErrorCode }
  | { readonly kind: 'cpu' };

export type FromMember =
  | { readonly kind: 'ready' }
  | { readonly kind: 'commit'; readonly call: number; readonly body: CommitBody }
  | { readonly kind: 'rejoin'; readonly call: number }
  | { readonly kind: 'offer'; readonly call: number; readonly keyPackage: Uint8Array }
  /** Has the keys of this Epoch since `at`, ms since the Unix epoch. */
  | { readonly kind: 'epoch'; readonly epoch: number; readonly word: string; readonly at: number }
  /** Of this thread alone, ms. */
  | { readonly kind: 'cpu'; readonly ms: number }
  | { readonly kind: 'failed'; readonly reason: string };
