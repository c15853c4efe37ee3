/**
 * The ids of everything that has one, as branded strings: a PeerId cannot be passed where a RoomId is wanted.
 * Ids are opaque outside the part that makes them, bounded, and safe in a URL, a metric and a file name.
 */
import { z } from 'zod';

/** Longest id of any kind. Longer: more bytes in every message. Shorter: no room for `node/worker` ids. */
export const ID_MAX = 64;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.:/-]*$/;

const id = z.string().min(1).max(ID_MAX).regex(idPattern);

/** A person-chosen name of a Room, from the link. Lower case, so that a link read aloud still works. */
export const RoomId = z
  .string()
  .min(1)
  .max(ID_MAX)
  .regex(/^[a-z0-9][a-z0-9_-]*$/)
  .brand<'RoomId'>();
export type RoomId = z.infer<typeof RoomId>;

export const PeerId = id.brand<'PeerId'>();
export type PeerId = z.infer<typeof PeerId>;
export const ParticipantId = id.brand<'ParticipantId'>();
export type ParticipantId = z.infer<typeof ParticipantId>;
export const RegionId = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[a-z][a-z0-9-]*$/)
  .brand<'RegionId'>();
export type RegionId = z.infer<typeof RegionId>;
export const NodeId = id.brand<'NodeId'>();
export type NodeId = z.infer<typeof NodeId>;
/** Unique in the cluster: `<node>/<index>`. */
export const WorkerId = id.brand<'WorkerId'>();
export type WorkerId = z.infer<typeof WorkerId>;
export const TransportId = id.brand<'TransportId'>();
export type TransportId = z.infer<typeof TransportId>;
export const ProducerId = id.brand<'ProducerId'>();
export type ProducerId = z.infer<typeof ProducerId>;
export const ConsumerId = id.brand<'ConsumerId'>();
export type ConsumerId = z.infer<typeof ConsumerId>;
/** A directed link in a Room: `<from worker>><to worker>` hashed by nobody, unique within its Room. */
export const PipeId = z.string().min(1).max(160).brand<'PipeId'>();
export type PipeId = z.infer<typeof PipeId>;

/** Number of a Lease; grows by one with every new holder (ADR 0004). */
export const Term = z.number().int().nonnegative().brand<'Term'>();
export type Term = z.infer<typeof Term>;
/** MLS Epoch (RFC 9420 §3). Never used for anything else. */
export const Epoch = z
  .number()
  .int()
  .nonnegative()
  .max(2 ** 48)
  .brand<'Epoch'>();
export type Epoch = z.infer<typeof Epoch>;

/** The first characters of an id, enough to follow it through a log and too few to name a person or a Room. */
export function loggable(value: string): string {
  return value.length <= 6 ? `${value.slice(0, 2)}…` : `${value.slice(0, 6)}…`;
}
