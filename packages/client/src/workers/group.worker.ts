/**
 * The MLS group in a worker of its own: the leaf key is made here and never leaves, and the base keys go straight to the
 * frame worker. What it needs of signaling it asks the page for, which carries bytes and reads none.
 */
import {
  authenticatorDigits,
  groupCode,
  rehearse,
  SUITE,
  tsMlsLibrary,
  type EpochKeys,
  type LeafKey,
} from '@veilcast/e2ee';
import { memberValidator, toBase64Url, type MemberIdentity } from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { ClusterError } from '@veilcast/protocol';
import { browserClock } from '../clock.ts';
import { Membership, type Entry } from './membership.ts';
import type {
  GroupAnswer,
  GroupRequestName,
  GroupWarning,
  GroupWorkerInput,
  GroupWorkerOutput,
  KeyMessage,
} from './messages.ts';
import { Revocations } from './revocations.ts';
import { ShownAttestations, type AttestationAnswer } from './shown.ts';
import { scope as self, type WorkerScope } from './scope.ts';

const scope = self as WorkerScope<GroupWorkerInput, GroupWorkerOutput>;
const library = tsMlsLibrary();
let frames: MessagePort | undefined;
let starting: Promise<void> | undefined;
let leafKey: LeafKey | undefined;
let membership: Membership | undefined;
let revocations: Revocations | undefined;
let lastCall = 0;
/** Owners remembered: everybody who was in a full group, and comes back. */
const OWNERS_MAX = 1_024;
/** Whose device each Peer is, as it showed: what is said stays with its owner over reconnects and new keys. */
const owners = new Map<string, string>();
/** Requests that wait for signaling: at most one Commit and the messages that the page has let through. */
const asked = new Map<number, (answer: GroupAnswer) => void>();

const attestationsAsked = new Map<number, (answer: AttestationAnswer | undefined) => void>();
const shown = new ShownAttestations(async (peers) => {
  lastCall += 1;
  const call = lastCall;
  return new Promise((answered) => {
    attestationsAsked.set(call, answered);
    scope.postMessage({ kind: 'wantAttestations', call, peers });
  });
});

scope.onmessage = ({ data }) => {
  switch (data.kind) {
    case 'start':
      frames = data.port;
      starting = start();
      return;
    case 'rehearse':
      void starting?.then(() => rehearse(library, isBeforeEntry)).catch(() => undefined);
      return;
    case 'enter':
      enter(data);
      return;
    case 'event':
      void membership?.take(data.event);
      return;
    case 'present':
      // Before their Commits come.
      shown.expect(data.peers);
      membership?.present(data.peers);
      return;
    case 'say':
      void say(data.call, data.plaintext);
      return;
    case 'revoked':
      void revocations?.take(data.list);
      return;
    case 'attestations':
      attestationsAsked.get(data.call)?.(data.answer);
      attestationsAsked.delete(data.call);
      return;
    case 'answer':
      asked.get(data.call)?.(data.result);
      asked.delete(data.call);
  }
};

async function start(): Promise<void> {
  leafKey = await library.generateLeafKey();
  scope.postMessage({ kind: 'started', leafKey: toBase64Url(leafKey.publicKey) });
}

/** After whatever the page has said by now. */
function isBeforeEntry(): Promise<boolean> {
  return new Promise((resolve) => void browserClock.after(0, () => resolve(membership === undefined)));
}

function enter(entry: GroupWorkerInput & { readonly kind: 'enter' }): void {
  if (!leafKey) throw new TypeError('not started');
  const { roomId, peerId, credential, authority, root, vouchers, attested } = entry;
  const known = new Revocations(root, (gone) => warn({ kind: 'revoked', epoch: 0, peers: gone, reason: '' }));
  revocations = known;
  // Before anybody is let in: whoever is asked about waits for it.
  const listed = known.take(entry.revocations);
  shown.put(peerId, attested);
  const validate = memberValidator({
    authority,
    root,
    vouchers,
    signatures,
    room: roomId,
    now: () => Date.now(),
    revocations: () => known.list,
    attestationOf: async (member) => {
      await listed;
      return shown.of(member);
    },
    headSeen: (_, head) => scope.postMessage({ kind: 'head', head }),
    shown(identity) {
      own(identity);
      known.believed(identity);
      scope.postMessage({ kind: 'identity', identity });
    },
    refused: (member, reason) => warn({ kind: 'unattested', epoch: 0, peers: [member], reason }),
  });
  membership = new Membership(
    library,
    { roomId, peerId, leafKey, credential, validate },
    {
      commit: async (body) => (await ask('groupCommit', body)) ?? body.epoch,
      message: async (body) => void (await ask('groupMessage', body)),
      offer: async (keyPackage) => void (await ask('groupOffer', { keyPackage })),
      rejoin: async () => void (await ask('groupRejoin', {})),
      entered,
      lost(final) {
        tellFrames({ kind: 'stopSealing' });
        scope.postMessage({ kind: final ? 'failed' : 'lost' });
      },
      opened: (peerId, plaintext) => {
        const speaker = { peerId, owner: owners.get(peerId) ?? peerId };
        scope.postMessage({ kind: 'opened', speaker, plaintext });
      },
      refused: (reason) => scope.postMessage({ kind: 'refused', reason }),
      warned: (warning) => scope.postMessage({ kind: 'warning', warning }),
    },
    browserClock,
  );
}

function entered(keys: EpochKeys, { by, kind, added, removed, switchAfterMs, newGroup }: Entry): void {
  const { epoch, baseKey, selfLeaf, members } = keys;
  const newcomers = kind === 'entered' || kind === 'admitted' || kind === 'returned';
  tellFrames({ kind: 'epoch', epoch, baseKey, selfLeaf, members, switchAfterMs, newGroup, newcomers });
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

function own({ peerId, user, device }: MemberIdentity): void {
  owners.set(peerId, `${user} ${toBase64Url(device)}`);
  for (const oldest of owners.keys()) {
    if (owners.size <= OWNERS_MAX) return;
    owners.delete(oldest);
  }
}

function warn(warning: Omit<GroupWarning, 'at'>): void {
  scope.postMessage({ kind: 'warning', warning: { at: browserClock.now(), ...warning } });
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
