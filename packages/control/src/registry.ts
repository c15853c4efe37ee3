/** What a process says of itself in the Directory: where to dial it, and which life of it this is. */
import { z } from 'zod';

export const ProcessKind = z.enum(['signaling', 'sfu-node', 'cascade-router', 'turn']);
export type ProcessKind = z.infer<typeof ProcessKind>;

/** Renewed every third of it. Longer: a dead process is dialled for longer. Shorter: a pause of the store drops living ones. */
export const REGISTRATION_TTL_MS = 3_000;

export const Registration = z.strictObject({
  kind: ProcessKind,
  /** The stable id: a NodeId for a node. */
  processId: z.string().min(1).max(64),
  incarnation: z.string().min(1).max(64),
  /** For Carrier.dial. */
  address: z.string().min(1).max(256),
  region: z.string().max(32).optional(),
  /** Where clients measure the round trip to this region: an http path or URL that answers 204. */
  probeUrl: z.string().max(512).optional(),
  /** Where clients reach this signaling process and no other. */
  publicUrl: z.string().max(256).optional(),
  /** Of a TURN server that takes new allocations: as in RTCIceServer. */
  iceUrls: z.array(z.string().max(300)).min(1).max(8).optional(),
});
export type Registration = z.infer<typeof Registration>;

/** Directory prefix of a kind. */
export function registrationPrefix(kind: ProcessKind): string {
  return `process/${kind}/`;
}

export function registrationKey(kind: ProcessKind, processId: string): string {
  return registrationPrefix(kind) + processId;
}
