/**
 * Entering by Welcome, many in one Commit: what Veilcast does not do (ADR 0016), so that a bench can set it beside what it
 * does. Straight on the library, without any of our rules.
 */
import { createCommit } from 'ts-mls/createCommit.js';
import { joinGroup, type ClientState } from 'ts-mls/clientState.js';
import { generateKeyPackageWithKey, type KeyPackage, type PrivateKeyPackage } from 'ts-mls/keyPackage.js';
import { defaultLifetime } from 'ts-mls/lifetime.js';
import { decodeMlsMessage, encodeMlsMessage } from 'ts-mls/message.js';
import { processPublicMessage } from 'ts-mls/processMessages.js';
import { emptyPskIndex } from 'ts-mls/pskIndex.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { GroupSelf, GroupState } from '../group.ts';
import { SUITE, suiteImpl } from '../suite.ts';
import { libraryStateOf } from './library-state.ts';

export interface Offer {
  readonly bytes: Uint8Array;
  readonly publicPackage: KeyPackage;
  readonly privatePackage: PrivateKeyPackage;
}

/** What somebody at the door would hand in. */
export async function offer(self: GroupSelf): Promise<Offer> {
  const credential = { credentialType: 'basic' as const, identity: new TextEncoder().encode(self.credential) };
  const capabilities = {
    versions: ['mls10' as const],
    ciphersuites: [SUITE as 'MLS_256_XWING_AES256GCM_SHA512_Ed25519'],
    extensions: [],
    proposals: [],
    credentials: ['basic' as const],
  };
  const key = { signKey: self.leafKey.secretKey, publicKey: self.leafKey.publicKey };
  const made = await generateKeyPackageWithKey(credential, capabilities, defaultLifetime, [], key, await suiteImpl());
  const message = { version: 'mls10', wireformat: 'mls_key_package', keyPackage: made.publicPackage } as const;
  return { ...made, bytes: encodeMlsMessage(message) };
}

/** One Commit that adds all of them, and the Welcome that they share. */
export async function addAll(
  state: GroupState,
  offers: readonly Uint8Array[],
): Promise<{ commit: Uint8Array; welcome: Uint8Array; epoch: string }> {
  const extraProposals = offers.map((bytes) => {
    const message = decodeMlsMessage(bytes, 0)?.[0];
    if (message?.wireformat !== 'mls_key_package') throw new TypeError('no key package');
    return { proposalType: 'add' as const, add: { keyPackage: message.keyPackage } };
  });
  const context = { state: await libraryStateOf(state), cipherSuite: await suiteImpl() };
  const made = await createCommit(context, { extraProposals, wireAsPublicMessage: true, ratchetTreeExtension: true });
  if (!made.welcome) throw new TypeError('no Welcome');
  const welcome = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome: made.welcome });
  return { commit: encodeMlsMessage(made.commit), welcome, epoch: epochOf(made.newState) };
}

/** A member inside takes the Commit. */
export async function takeAdds(state: GroupState, commit: Uint8Array): Promise<string> {
  const message = decodeMlsMessage(commit, 0)?.[0];
  if (message?.wireformat !== 'mls_public_message') throw new TypeError('no Commit');
  const mls = await libraryStateOf(state);
  return epochOf((await processPublicMessage(mls, message.publicMessage, emptyPskIndex, await suiteImpl())).newState);
}

export async function enterByWelcome({ publicPackage, privatePackage }: Offer, welcome: Uint8Array): Promise<string> {
  const message = decodeMlsMessage(welcome, 0)?.[0];
  if (message?.wireformat !== 'mls_welcome') throw new TypeError('no Welcome');
  const suite = await suiteImpl();
  return epochOf(await joinGroup(message.welcome, publicPackage, privatePackage, emptyPskIndex, suite));
}

/** The same word for all who have the same keys. */
function epochOf(mls: ClientState): string {
  return bytesToHex(mls.keySchedule.epochAuthenticator);
}
