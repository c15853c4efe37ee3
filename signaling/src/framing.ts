/**
 * What the server can check of a Commit without a key: that it is one, for this group and this Epoch, entering exactly
 * when it comes by ticket and under the credential that was given to its sender, and that it removes and adds whom it says.
 * Members check everything else, and are the ones that matter (ADR 0006).
 */
import type { Member } from '@veilcast/delivery';
import type { Inspected } from '@veilcast/e2ee';
import type { PeerId, RequestBody, RoomId } from '@veilcast/protocol';
import { sameBytes } from './bytes.ts';

/** packages/e2ee's `inspect`. Undefined: these bytes are no MLS message of our suite. */
export type InspectMessage = (bytes: Uint8Array) => Inspected | undefined;

export interface CommitContext {
  readonly roomId: RoomId;
  /** Of the present group; undefined before there is one. */
  readonly groupId: Uint8Array | undefined;
  readonly members: readonly Member[];
  readonly sender: PeerId;
  /** The leaf credential that a Peer was given. */
  readonly credentialOf: (peerId: PeerId) => string;
}

/** The group id when all fits, undefined when not. */
export function checkCommit(
  body: RequestBody<'groupCommit'>,
  context: CommitContext,
  inspect: InspectMessage,
): Uint8Array | undefined {
  const made = inspect(body.groupInfo);
  if (made?.kind !== 'groupInfo' || made.room !== context.roomId) return undefined;
  if (body.commit === undefined) return body.ticket !== undefined && made.epoch === 0 ? made.groupId : undefined;
  const commit = inspect(body.commit);
  if (commit?.kind !== 'commit' || commit.room !== context.roomId || commit.epoch !== body.epoch) return undefined;
  if (made.epoch !== body.epoch + 1 || !sameBytes(made.groupId, commit.groupId)) return undefined;
  if (context.groupId !== undefined && !sameBytes(commit.groupId, context.groupId)) return undefined;
  if (commit.external !== (body.ticket !== undefined)) return undefined;
  const fits = commit.external ? entersAsItself(commit, context) : removesAsSaid(commit, body, context);
  const welcomes = body.welcome === undefined || inspect(body.welcome)?.kind === 'welcome';
  return fits && welcomes && addsAsSaid(commit, body, context) ? commit.groupId : undefined;
}

/** An entry may take the sender's own old leaf with it, and nobody else's. */
function entersAsItself(commit: Inspected, { credentialOf, members, sender }: CommitContext): boolean {
  if (commit.credential !== undefined && commit.credential !== credentialOf(sender)) return false;
  const own = members.find((member) => member.peerId === sender)?.leaf;
  return (commit.removes ?? []).every((leaf) => leaf === own);
}

/** Under the credentials that they were given, in the order that is said. */
function addsAsSaid(
  { adds = [] }: Inspected,
  body: RequestBody<'groupCommit'>,
  { credentialOf }: CommitContext,
): boolean {
  return adds.length === body.adds.length && adds.every((credential, n) => credential === credentialOf(body.adds[n]!));
}

/** A KeyPackage under the credential that its sender was given. */
export function isOwnKeyPackage(keyPackage: Uint8Array, credential: string, inspect: InspectMessage): boolean {
  const inspected = inspect(keyPackage);
  return inspected?.kind === 'keyPackage' && inspected.credential === credential;
}

function removesAsSaid(commit: Inspected, body: RequestBody<'groupCommit'>, context: CommitContext): boolean {
  const leafOf = (peerId: PeerId): number | undefined =>
    context.members.find((member) => member.peerId === peerId)?.leaf;
  if (commit.sender !== undefined && commit.sender !== leafOf(context.sender)) return false;
  if (body.removes.length > 0 && commit.path === false) return false;
  if (commit.removes === undefined) return true;
  const said = new Set(body.removes.map(leafOf));
  return said.size === commit.removes.length && commit.removes.every((leaf) => said.has(leaf));
}
