/**
 * A state as ts-mls itself would hold it, with every secret that it can lead to: for tests that do with the bare library what
 * Veilcast does not, or compare the two.
 */
import { defaultAuthenticationService } from 'ts-mls/authenticationService.js';
import type { ClientState } from 'ts-mls/clientState.js';
import type { SecretTree } from 'ts-mls/secretTree.js';
import type { GroupState } from '../group.ts';
import { type LeafSecrets, withLeaf } from '../mls/leaf-secrets.ts';
import { contentOf } from '../state.ts';

export async function libraryStateOf(state: GroupState): Promise<ClientState> {
  const { mls, secrets, formerSecrets } = contentOf(state);
  const history = [...mls.historicalReceiverData].map(async ([epoch, left]) => {
    return [epoch, { ...left, secretTree: formerSecrets ? await wholeOf(formerSecrets) : [] }] as const;
  });
  return {
    ...mls,
    secretTree: await wholeOf(secrets),
    historicalReceiverData: new Map(await Promise.all(history)),
    clientConfig: { ...mls.clientConfig, authService: defaultAuthenticationService },
  };
}

async function wholeOf(secrets: LeafSecrets): Promise<SecretTree> {
  let whole = secrets;
  for (let leaf = 0; leaf * 2 < secrets.tree.length; leaf++) whole = await withLeaf(whole, leaf);
  // The library looks at what it never uses: parents have ratchets there too.
  return Array.from(whole.tree, (node) => node ?? { handshake: NONE, application: NONE });
}

const NONE = { secret: new Uint8Array(64), generation: 0, unusedGenerations: {} };
