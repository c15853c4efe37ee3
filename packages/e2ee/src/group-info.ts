/** The GroupInfo of an Epoch (RFC 9420 §12.4.3): what a newcomer builds on, with the tree in it. */
import type { RoomId } from '@veilcast/protocol';
import type { ClientState } from 'ts-mls/clientState.js';
import type { Extension } from 'ts-mls/extension.js';
import { type GroupInfo, ratchetTreeFromExtension, signGroupInfo } from 'ts-mls/groupInfo.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { decodeMessage, roomOf } from './framing.ts';
import { GroupError } from './group.ts';
import { encodeTree } from './mls/tree.ts';
import { SUITE, suiteImpl } from './suite.ts';
import { publicKeyOf, secretKeyOf } from './xwing.ts';

/** @throws GroupError for anything but one of this Room and of our suite; nothing else of it is checked here */
export function readGroupInfo(bytes: Uint8Array, roomId: RoomId): { groupInfo: GroupInfo; tree: RatchetTree } {
  const message = decodeMessage(bytes);
  if (message?.wireformat !== 'mls_group_info') throw new GroupError('undecodable');
  const { groupInfo } = message;
  const { groupContext } = groupInfo;
  if (groupContext.cipherSuite !== SUITE || roomOf(groupContext.groupId) !== roomId) {
    throw new GroupError('wrong-group');
  }
  if (groupContext.extensions.length > 0) throw new GroupError('not-allowed');
  return { groupInfo, tree: treeOf(groupInfo) };
}

/** @throws GroupError `undecodable` */
function treeOf(groupInfo: GroupInfo): RatchetTree {
  try {
    const tree = ratchetTreeFromExtension(groupInfo);
    if (tree !== undefined) return tree;
  } catch (cause) {
    throw new GroupError('undecodable', { cause });
  }
  throw new GroupError('undecodable');
}

/** Of the Epoch that this state is in, signed by us. */
export async function makeGroupInfo(mls: ClientState): Promise<GroupInfo> {
  const { groupContext, ratchetTree, keySchedule, confirmationTag, privatePath, signaturePrivateKey } = mls;
  const { signature } = await suiteImpl();
  const extensions: Extension[] = [
    { extensionType: 'external_pub', extensionData: await publicKeyOf(secretKeyOf(keySchedule.externalSecret)) },
    { extensionType: 'ratchet_tree', extensionData: encodeTree(ratchetTree) },
  ];
  const unsigned = { groupContext, extensions, confirmationTag, signer: privatePath.leafIndex };
  return signGroupInfo(unsigned, signaturePrivateKey, signature);
}

export function encodeInfo(groupInfo: GroupInfo): Uint8Array {
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo });
}

export async function groupInfoOf(mls: ClientState): Promise<Uint8Array> {
  return encodeInfo(await makeGroupInfo(mls));
}
