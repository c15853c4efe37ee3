/** What a state of ours is made of: the configuration of the library, who we are in a tree, and what an Epoch begins with. */
import type { ClientConfig } from 'ts-mls/clientConfig.js';
import { defaultKeyPackageEqualityConfig } from 'ts-mls/keyPackageEqualityConfig.js';
import { defaultLifetimeConfig } from 'ts-mls/lifetimeConfig.js';
import { defaultPaddingConfig } from 'ts-mls/paddingConfig.js';
import { markOf } from './epoch-mark.ts';
import type { GroupSelf, ValidateCredential } from './group.ts';
import type { NextEpoch } from './mls/commit.ts';
import { leafSecrets } from './mls/leaf-secrets.ts';
import type { LeafTemplate } from './mls/path.ts';
import type { Roster } from './roster.ts';
import type { Held } from './state.ts';
import { SUITE } from './suite.ts';

export const CONFIG: ClientConfig = {
  // One Epoch back: 0 would keep all of them for ever.
  keyRetentionConfig: { retainKeysForEpochs: 1, retainKeysForGenerations: 10, maximumForwardRatchetSteps: 200 },
  lifetimeConfig: defaultLifetimeConfig,
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: defaultPaddingConfig,
  // Asked by nothing that is used: credentials are looked at here, each once (roster.ts).
  authService: { validateCredential: async () => false },
};

/** Who we are in a tree and what we can do. */
export function templateOf({ credential, leafKey }: GroupSelf): LeafTemplate {
  return {
    credential: { credentialType: 'basic', identity: new TextEncoder().encode(credential) },
    signaturePublicKey: leafKey.publicKey,
    capabilities: {
      versions: ['mls10'],
      ciphersuites: [SUITE],
      extensions: [],
      proposals: [],
      credentials: ['basic'],
    },
  };
}

/** A new Epoch, in which nobody has spoken. */
export function opened({ mls, encryptionSecret }: NextEpoch): Pick<Held, 'mls' | 'secrets'> {
  return { mls, secrets: leafSecrets(mls.ratchetTree.length, encryptionSecret) };
}

export function heldOf(
  now: Pick<Held, 'mls' | 'secrets'>,
  validate: ValidateCredential,
  roster: Roster,
  before?: Held,
  spent: readonly Uint8Array[] = [],
): Held {
  const formerMark = before && markOf(before.mls.keySchedule.epochAuthenticator);
  const former = { formerRoster: before?.roster, formerMark, formerSecrets: before?.secrets };
  return { ...now, validate, roster, ...former, statement: undefined, spent, removed: false };
}
