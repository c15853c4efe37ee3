/**
 * Which Epoch a member means, in the authenticated data of each of its messages: a short hash of the epoch authenticator,
 * signed with the leaf key (ADR 0015). Two Commits of one Epoch, each shown to other members, make two groups that look
 * alike from inside: whatever passes between them just does not open. With the mark it is known why.
 *
 * `<leaf u32> <mark 16> <Ed25519 signature 64>`, the signature by RFC 9420 §5.1.2 over
 * `<epoch u64> <leaf u32> <mark 16> <group id>`. The mark reveals nothing: the authenticator is there to be compared.
 */
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { ClientState } from 'ts-mls/clientState.js';
import { signWithLabel, verifyWithLabel } from 'ts-mls/crypto/signature.js';
import { equalBytes } from './bytes.ts';
import { GroupError } from './group.ts';
import type { Roster } from './roster.ts';
import { suiteImpl } from './suite.ts';

const MARK_LABEL = utf8ToBytes('veilcast/1 epoch mark');
const SIGN_LABEL = 'Veilcast Epoch Mark';
const MARK_BYTES = 16;
const LEAF_BYTES = 4;
const EPOCH_BYTES = 8;
export const STATEMENT_BYTES = LEAF_BYTES + MARK_BYTES + 64;

/** Of one Epoch, the same for all who are in it. */
export function markOf(authenticator: Uint8Array): Uint8Array {
  return sha512(concatBytes(MARK_LABEL, authenticator)).slice(0, MARK_BYTES);
}

/** What we state in every message of this Epoch; signed once an Epoch. */
export async function stateEpoch(mls: ClientState): Promise<Uint8Array> {
  const { groupContext, keySchedule, privatePath, signaturePrivateKey } = mls;
  const mark = markOf(keySchedule.epochAuthenticator);
  const signed = contentOf(groupContext.groupId, groupContext.epoch, privatePath.leafIndex, mark);
  const signature = await signWithLabel(signaturePrivateKey, SIGN_LABEL, signed, (await suiteImpl()).signature);
  return concatBytes(uint32(privatePath.leafIndex), mark, signature);
}

export interface StatedIn {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly mark: Uint8Array;
  readonly roster: Roster;
}

/**
 * Looks at a statement before the message is opened; returns the leaf that it names.
 * @throws GroupError `forked` with who, when a member states another Epoch of this number; `not-allowed` without a statement,
 * `unknown-member`, `bad-signature`
 */
export async function judgeStatement(
  statement: Uint8Array,
  { groupId, epoch, mark, roster }: StatedIn,
): Promise<number> {
  if (statement.length !== STATEMENT_BYTES) throw new GroupError('not-allowed');
  const leaf = new DataView(statement.buffer, statement.byteOffset).getUint32(0);
  const stated = statement.subarray(LEAF_BYTES, LEAF_BYTES + MARK_BYTES);
  const member = roster.get(leaf);
  if (member === undefined) throw new GroupError('unknown-member');
  // Of our own Epoch: that the message opens says more than the signature would.
  if (equalBytes(stated, mark)) return leaf;
  const signature = statement.subarray(LEAF_BYTES + MARK_BYTES);
  const key = hexToBytes(member.leafKey);
  const signed = contentOf(groupId, epoch, leaf, stated);
  const isTheirs = await verifyWithLabel(key, SIGN_LABEL, signed, signature, (await suiteImpl()).signature);
  throw isTheirs ? new GroupError('forked', { by: member.peerId }) : new GroupError('bad-signature');
}

function contentOf(groupId: Uint8Array, epoch: bigint, leaf: number, mark: Uint8Array): Uint8Array {
  const number = new Uint8Array(EPOCH_BYTES);
  new DataView(number.buffer).setBigUint64(0, epoch);
  return concatBytes(number, uint32(leaf), mark, groupId);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(LEAF_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
