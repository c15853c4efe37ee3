/**
 * What can be read off an MLS message without any key (RFC 9420 §6): for the checks of the delivery service, and the
 * first ones of a member. Never throws, whatever the bytes.
 */
import type { Credential } from 'ts-mls/credential.js';
import { decodeMlsMessage, type MLSMessage } from 'ts-mls/message.js';
import type { PublicMessage } from 'ts-mls/publicMessage.js';
import { decodeText } from './bytes.ts';
import { SUITE } from './suite.ts';

/** Between the room's id and the random part of a group id; no room id contains it. */
const GROUP_ID_BREAK = 0;
const GROUP_ID_RANDOM = 16;
const NO_GROUP = new Uint8Array(0);

export interface Inspected {
  readonly kind: 'commit' | 'proposal' | 'application' | 'groupInfo' | 'keyPackage' | 'welcome' | 'other';
  readonly groupId: Uint8Array;
  /** The Room that the group id names, empty when it names none. */
  readonly room: string;
  /** The Epoch that the message was made in; of a GroupInfo, the one it describes. */
  readonly epoch: number;
  /** A Commit of somebody who enters by it. */
  readonly external: boolean;
  /** The leaf of a member who sends in the clear, or who signed the GroupInfo. */
  readonly sender?: number;
  /** The credential (compact JWS) of somebody who enters, or offers a KeyPackage. Not verified here. */
  readonly credential?: string;
  /** Credentials of those whom the Commit adds, '' for one that is none. Not verified here. */
  readonly adds?: readonly string[];
  /** Leaves that the Commit removes. */
  readonly removes?: readonly number[];
  /** Whether a Commit renews the keys, without which a removal removes nobody. */
  readonly path?: boolean;
}

/** Undefined for anything that is not one whole MLS message of our suite. */
export function inspect(bytes: Uint8Array): Inspected | undefined {
  const message = decodeMessage(bytes);
  if (message === undefined) return undefined;
  switch (message.wireformat) {
    case 'mls_public_message':
      return inspectPublic(message.publicMessage);
    case 'mls_private_message': {
      const { groupId, epoch, contentType } = message.privateMessage;
      return { kind: contentType, groupId, room: roomOf(groupId), epoch: Number(epoch), external: false };
    }
    case 'mls_key_package': {
      const { cipherSuite, leafNode } = message.keyPackage;
      if (cipherSuite !== SUITE) return undefined;
      const common = { kind: 'keyPackage', groupId: NO_GROUP, room: '', epoch: 0, external: false } as const;
      return { ...common, credential: textOf(leafNode.credential) ?? '' };
    }
    case 'mls_welcome':
      if (message.welcome.cipherSuite !== SUITE) return undefined;
      return { kind: 'welcome', groupId: NO_GROUP, room: '', epoch: 0, external: false };
    case 'mls_group_info': {
      const { groupContext, signer } = message.groupInfo;
      if (groupContext.cipherSuite !== SUITE) return undefined;
      const { groupId, epoch } = groupContext;
      return {
        kind: 'groupInfo',
        groupId,
        room: roomOf(groupId),
        epoch: Number(epoch),
        external: false,
        sender: signer,
      };
    }
    default:
      return undefined;
  }
}

function inspectPublic({ content }: PublicMessage): Inspected {
  const { groupId, sender } = content;
  const external = sender.senderType === 'new_member_commit';
  const common = {
    groupId,
    room: roomOf(groupId),
    epoch: Number(content.epoch),
    external,
    ...(sender.senderType === 'member' ? { sender: sender.leafIndex } : {}),
  };
  if (content.contentType !== 'commit') return { kind: 'other', ...common };
  const { proposals, path } = content.commit;
  const removes = proposals.flatMap((entry) =>
    entry.proposalOrRefType === 'proposal' && entry.proposal.proposalType === 'remove'
      ? [entry.proposal.remove.removed]
      : [],
  );
  const adds = proposals.flatMap((entry) =>
    entry.proposalOrRefType === 'proposal' && entry.proposal.proposalType === 'add'
      ? [textOf(entry.proposal.add.keyPackage.leafNode.credential) ?? '']
      : [],
  );
  const text = path && textOf(path.leafNode.credential);
  return {
    kind: 'commit',
    ...common,
    removes,
    adds,
    path: path !== undefined,
    ...(external && text !== undefined ? { credential: text } : {}),
  };
}

function textOf(credential: Credential): string | undefined {
  return credential.credentialType === 'basic' ? decodeText(credential.identity) : undefined;
}

/** The library's decoders throw on some bytes and stop early on others; both are undefined here. */
export function decodeMessage(bytes: Uint8Array): MLSMessage | undefined {
  try {
    const decoded = decodeMlsMessage(bytes, 0);
    return decoded !== undefined && decoded[1] === bytes.length ? decoded[0] : undefined;
  } catch {
    return undefined;
  }
}

/** `<room id> 00 <16 random bytes>`: two groups of one Room are never taken for each other. */
export function newGroupId(roomId: string): Uint8Array {
  const room = new TextEncoder().encode(roomId);
  const id = new Uint8Array(room.length + 1 + GROUP_ID_RANDOM);
  id.set(room);
  crypto.getRandomValues(id.subarray(room.length + 1));
  return id;
}

export function roomOf(groupId: Uint8Array): string {
  const end = groupId.length - 1 - GROUP_ID_RANDOM;
  if (end < 1 || groupId[end] !== GROUP_ID_BREAK) return '';
  return decodeText(groupId.subarray(0, end)) ?? '';
}
