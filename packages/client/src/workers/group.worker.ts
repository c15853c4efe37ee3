/**
 * The MLS group in a worker of its own: the leaf key is made here and never leaves, and the base keys go straight to the
 * frame worker. What it needs of signaling it asks the page for, which carries bytes and reads none.
 */
import {
  authenticatorDigits,
  credentialValidator,
  groupCode,
  SUITE,
  tsMlsLibrary,
  type EpochKeys,
  type LeafKey,
} from '@veilcast/e2ee';
import { ClusterError } from '@veilcast/protocol';
import { browserClock } from '../clock.ts';
import { Membership, type Entry } from './membership.ts';
import type { GroupAnswer, GroupRequestName, GroupWorkerInput, GroupWorkerOutput, KeyMessage } from './messages.ts';
import { scope as self, type WorkerScope } from './scope.ts';

const scope = self as WorkerScope<GroupWorkerInput, GroupWorkerOutput>;
const library = tsMlsLibrary();
let frames: MessagePort | undefined;
let leafKey: LeafKey | undefined;
let membership: Membership | undefined;
let lastCall = 0;
/** Requests that wait for signaling: at most one Commit and the messages that the page has let through. */
const asked = new Map<number, (answer: GroupAnswer) => void>();

scope.onmessage = ({ data }) => {
  switch (data.kind) {
    case 'start':
      frames = data.port;
      void start();
      return;
    case 'enter':
      enter(data);
      return;
    case 'event':
      void membership?.take(data.event);
      return;
    case 'present':
      membership?.present(data.peers);
      return;
    case 'say':
      void say(data.call, data.plaintext);
      return;
    case 'answer':
      asked.get(data.call)?.(data.result);
      asked.delete(data.call);
  }
};

async function start(): Promise<void> {
  leafKey = await library.generateLeafKey();
  scope.postMessage({ kind: 'started', leafKey: base64Url(leafKey.publicKey) });
}

function enter({ roomId, peerId, credential, authority }: GroupWorkerInput & { readonly kind: 'enter' }): void {
  if (!leafKey) throw new TypeError('not started');
  const validate = credentialValidator(authority, roomId, () => Date.now());
  membership = new Membership(
    library,
    { roomId, peerId, leafKey, credential, validate },
    {
      commit: async (body) => (await ask('groupCommit', body)) ?? body.epoch,
      message: async (body) => void (await ask('groupMessage', body)),
      rejoin: async () => void (await ask('groupRejoin', {})),
      entered,
      lost(final) {
        tellFrames({ kind: 'stopSealing' });
        scope.postMessage({ kind: final ? 'failed' : 'lost' });
      },
      opened: (sender, plaintext) => scope.postMessage({ kind: 'opened', sender, plaintext }),
      refused: (reason) => scope.postMessage({ kind: 'refused', reason }),
      warned: (warning) => scope.postMessage({ kind: 'warning', warning }),
    },
    browserClock,
  );
}

function entered(keys: EpochKeys, { by, kind, added, removed, switchAfterMs, newGroup }: Entry): void {
  const { epoch, baseKey, selfLeaf, members } = keys;
  tellFrames({ kind: 'epoch', epoch, baseKey, selfLeaf, members, switchAfterMs, newGroup });
  scope.postMessage({
    kind: 'epoch',
    epoch,
    members: members.map(({ peerId }) => peerId),
    added,
    code: groupCode(keys.authenticator),
    authenticator: authenticatorDigits(keys.authenticator),
    change: { epoch, at: browserClock.now(), by, kind, added, removed },
    suite: SUITE,
    selfLeaf,
  });
}

async function say(call: number, plaintext: Uint8Array): Promise<void> {
  try {
    if (!membership) throw new ClusterError('KEYS_FAILED');
    await membership.say(plaintext);
    scope.postMessage({ kind: 'said', call, error: undefined });
  } catch (thrown) {
    scope.postMessage({ kind: 'said', call, error: ClusterError.of(thrown).code });
  }
}

/** @throws ClusterError with the code that signaling answered */
async function ask(name: GroupRequestName, body: object): Promise<number | undefined> {
  lastCall += 1;
  const call = lastCall;
  const answer = await new Promise<GroupAnswer>((answered) => {
    asked.set(call, answered);
    scope.postMessage({ kind: 'ask', call, name, body });
  });
  if (!answer.ok) throw new ClusterError(answer.code);
  return answer.epoch;
}

/** The buffer is handed over, not copied: this worker has it no longer. */
function tellFrames(message: KeyMessage): void {
  const owned = message.kind === 'epoch' ? { ...message, baseKey: message.baseKey.slice() } : message;
  frames?.postMessage(owned, owned.kind === 'epoch' ? [owned.baseKey.buffer] : []);
  if (message.kind === 'epoch') message.baseKey.fill(0);
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCodePoint(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
