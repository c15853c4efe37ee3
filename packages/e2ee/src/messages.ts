/**
 * Application messages: sealed with the sender's ratchet, padded to one of a few lengths so that a length says little,
 * opened in the present Epoch and, for those that were under way, in the one before.
 */
import type { PeerId } from '@veilcast/protocol';
import type { ClientState } from 'ts-mls/clientState.js';
import { createApplicationMessage } from 'ts-mls/createMessage.js';
import type { EpochReceiverData } from 'ts-mls/epochReceiverData.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { unprotectPrivateMessage } from 'ts-mls/messageProtection.js';
import { decryptSenderData } from 'ts-mls/privateMessage.js';
import { equalBytes } from './bytes.ts';
import { judgeStatement, markOf, stateEpoch } from './epoch-mark.ts';
import { guard } from './errors.ts';
import { decodeMessage } from './framing.ts';
import { GroupError, type GroupState } from './group.ts';
import { spentOn, withLeaf } from './mls/leaf-secrets.ts';
import { leafOf } from './roster.ts';
import { hold, liveContentOf } from './state.ts';
import { suiteImpl } from './suite.ts';

/** Lengths of the padded content, its signature included. The last one fits SEALED_MAX with its framing. */
const BUCKETS = [256, 1024, 4096, 16_384, 65_000];
/** Signature and length fields beside the plaintext, at most. */
const CONTENT_OVERHEAD = 72;
const NOTHING = new Uint8Array(0);
/** Longest application message. */
export const PLAINTEXT_MAX = 65_000 - CONTENT_OVERHEAD;

/** @throws RangeError above PLAINTEXT_MAX */
export async function sealMessage(
  state: GroupState,
  plaintext: Uint8Array,
): Promise<{ next: GroupState; sealed: Uint8Array }> {
  const content = liveContentOf(state);
  const bucket = BUCKETS.find((length) => length >= plaintext.length + CONTENT_OVERHEAD);
  if (bucket === undefined) throw new RangeError('the message is longer than PLAINTEXT_MAX');
  const { mls } = content;
  const paddingConfig = { kind: 'padUntilLength', padUntilLength: bucket } as const;
  const secrets = await withLeaf(content.secrets, mls.privatePath.leafIndex);
  const clientConfig = { ...mls.clientConfig, paddingConfig };
  const padded: ClientState = { ...mls, secretTree: secrets.tree, clientConfig };
  const suite = await suiteImpl();
  const statement = content.statement ?? (await stateEpoch(mls));
  const made = await guard(() => createApplicationMessage(padded, plaintext, suite, statement));
  const advanced = { ...secrets, tree: made.newState.secretTree };
  const spent = [...made.consumed, ...spentOn(secrets, content.secrets)];
  return {
    next: hold(state.roomId, state.self, { ...content, secrets: advanced, statement, spent }),
    sealed: encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_private_message',
      privateMessage: made.privateMessage,
    }),
  };
}

/** @throws GroupError */
export async function openMessage(
  state: GroupState,
  sealed: Uint8Array,
): Promise<{ next: GroupState; plaintext: Uint8Array; sender: PeerId }> {
  const content = liveContentOf(state);
  const { mls } = content;
  const message = decodeMessage(sealed);
  if (message === undefined) throw new GroupError('undecodable');
  if (message.wireformat !== 'mls_private_message') throw new GroupError('not-allowed');
  const { privateMessage } = message;
  if (!equalBytes(privateMessage.groupId, mls.groupContext.groupId)) throw new GroupError('wrong-group');
  if (privateMessage.contentType !== 'application') throw new GroupError('not-allowed');
  const present = privateMessage.epoch === mls.groupContext.epoch;
  const receiver = present ? presentEpoch(mls) : mls.historicalReceiverData.get(privateMessage.epoch);
  const roster = present ? content.roster : content.formerRoster;
  const closed = present ? content.secrets : content.formerSecrets;
  if (receiver === undefined || roster === undefined || closed === undefined) throw new GroupError('wrong-epoch');
  const mark = present ? markOf(mls.keySchedule.epochAuthenticator) : (content.formerMark ?? NOTHING);
  const statedIn = { groupId: privateMessage.groupId, epoch: privateMessage.epoch, mark, roster };
  const leaf = await judgeStatement(privateMessage.authenticatedData, statedIn);
  // Who was removed has nothing more to say, not even of the time before.
  const claimed = roster.get(leaf)?.peerId;
  if (claimed === undefined || leafOf(content.roster, claimed) === undefined) throw new GroupError('unknown-member');
  const suite = await suiteImpl();
  const { keyRetentionConfig } = mls.clientConfig;
  const secrets = await withLeaf(closed, leaf);
  // The library's own way to open does not say who sent.
  const opened = await guard(async () => {
    // Not even a member may speak in the name of another's leaf.
    const senderData = await decryptSenderData(privateMessage, receiver.senderDataSecret, suite);
    if (senderData !== undefined && senderData.leafIndex !== leaf) throw new GroupError('not-allowed');
    return unprotectPrivateMessage(
      receiver.senderDataSecret,
      privateMessage,
      secrets.tree,
      receiver.ratchetTree,
      receiver.groupContext,
      keyRetentionConfig,
      suite,
    );
  });
  const framed = opened.content.content;
  const sender = roster.get(leaf);
  if (sender === undefined || framed.contentType !== 'application') throw new GroupError('unknown-member');
  const advanced = { ...secrets, tree: opened.tree };
  const now = present ? { secrets: advanced } : { formerSecrets: advanced };
  const spent = [...opened.consumed, ...spentOn(secrets, closed)];
  return {
    next: hold(state.roomId, state.self, { ...content, ...now, spent }),
    plaintext: framed.applicationData,
    sender: sender.peerId,
  };
}

function presentEpoch(mls: ClientState): EpochReceiverData {
  return {
    resumptionPsk: mls.keySchedule.resumptionPsk,
    secretTree: mls.secretTree,
    ratchetTree: mls.ratchetTree,
    senderDataSecret: mls.keySchedule.senderDataSecret,
    groupContext: mls.groupContext,
  };
}
