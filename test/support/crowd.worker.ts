/**
 * Some of a crowd in one thread: each has a sealed channel of its own to signaling and keeps its place by the SDK's Membership, with all
 * checks of who the others are. `speaking`: they seal and open frames for each other all the while.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isGroupEvent } from '@veilcast/client/group-event';
import { Membership, type Entry } from '@veilcast/client/membership';
import { ShownAttestations } from '@veilcast/client/shown';
import { authenticatorDigits, tsMlsLibrary, type AuthorityKey, type EpochKeys } from '@veilcast/e2ee';
import { fromBase64Url, memberValidator, newDevice, proveDevice, toBase64Url } from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { systemClock } from '@veilcast/node-kit';
import { PROTOCOL_VERSION, type AnyEvent, type PeerId } from '@veilcast/protocol';
import { Speech } from './speech.ts';
import { Line, tokenFor } from './member.ts';

export interface CrowdTask {
  readonly origin: string;
  readonly room: string;
  readonly count: number;
  /** Between one and the next, ms. */
  readonly everyMs: number;
  readonly speaking: boolean;
}

export type CrowdWord =
  | { readonly kind: 'ready' }
  | { readonly kind: 'seated'; readonly peerId: PeerId }
  /** Somebody came into the Room, as the one told who is named. */
  | { readonly kind: 'joined'; readonly to: PeerId; readonly peerId: PeerId }
  | {
      readonly kind: 'epoch';
      readonly peerId: PeerId;
      readonly epoch: number;
      readonly members: number;
      /** Equal for those with equal keys. */
      readonly word: string;
      readonly how: Entry['kind'];
      readonly at: number;
    }
  | { readonly kind: 'trouble'; readonly peerId: PeerId; readonly what: string }
  | { readonly kind: 'spoken'; readonly opened: number; readonly lost: readonly string[] };

const task = workerData as CrowdTask;
const library = tsMlsLibrary();
const speech = task.speaking ? new Speech() : undefined;
const tell = (word: CrowdWord): void => parentPort?.postMessage(word);

interface Authority extends AuthorityKey {
  readonly root: string;
}

async function enter(): Promise<void> {
  const { origin, room } = task;
  const device = await newDevice();
  const [leafKey, token, line] = await Promise.all([
    library.generateLeafKey(),
    tokenFor(origin, room),
    Line.open(origin, device),
  ]);
  const authority = (await (await fetch(`${origin}/api/authority`)).json()) as Authority;
  const early: AnyEvent[] = [];
  let take = (event: AnyEvent): void => void early.push(event);
  line.onEvent((event) => take(event));
  const proof = await proveDevice(device, { token, leaf: leafKey.publicKey, now: Date.now() });
  const body = { version: PROTOCOL_VERSION, token, device: proof, leafKey: toBase64Url(leafKey.publicKey) } as const;
  const joined = await line.request('join', { ...body, probes: [] });
  if (joined.status !== 'admitted') throw new Error('not admitted');
  const { roomId, peerId, credential, attested, peers } = joined.admission;
  tell({ kind: 'seated', peerId });
  const trouble = (what: string): void => tell({ kind: 'trouble', peerId, what });
  const shown = new ShownAttestations((wanted) => line.request('attestations', { peers: [...wanted] }));
  shown.put(peerId, attested);
  shown.expect(peers.map((peer) => peer.peerId));
  const validate = memberValidator({
    authority,
    root: fromBase64Url(authority.root),
    vouchers: [fromBase64Url(authority.root)],
    signatures,
    room: roomId,
    now: Date.now,
    revocations: () => undefined,
    attestationOf: (member) => shown.of(member),
    headSeen: () => undefined,
    shown: () => undefined,
    refused: (member, reason) => trouble(`${member}: ${reason}`),
  });
  const membership = new Membership(
    library,
    { roomId, peerId, leafKey, credential, validate },
    {
      commit: async (commit) => (await line.request('groupCommit', commit as never)).epoch,
      message: () => Promise.resolve(),
      offer: async (keyPackage) => void (await line.request('groupOffer', { keyPackage })),
      rejoin: async () => void (await line.request('groupRejoin', {})),
      entered: (keys, how) => {
        speech?.install(peerId, keys, how);
        tell(epochOf(peerId, keys, how));
      },
      lost: (final) => trouble(final ? 'failed' : 'lost its place'),
      opened: () => undefined,
      refused: trouble,
      warned: ({ kind, reason }) => trouble(`${kind} ${reason}`),
    },
    systemClock,
  );
  take = (event) => {
    if (event.name === 'ended') trouble('ended');
    if (event.name === 'peerJoined') {
      const one = event.body.peer.peerId;
      shown.expect([one]);
      tell({ kind: 'joined', to: peerId, peerId: one });
    }
    if (isGroupEvent(event)) void membership.take(event);
  };
  for (const event of early) take(event);
}

function epochOf(peerId: PeerId, keys: EpochKeys, { kind }: Entry): CrowdWord {
  const word = authenticatorDigits(keys.authenticator);
  const { epoch, members } = keys;
  return { kind: 'epoch', peerId, epoch, members: members.length, word, how: kind, at: Date.now() };
}

async function come(): Promise<void> {
  const entries: Promise<void>[] = [];
  for (let n = 0; n < task.count; n++) {
    entries.push(enter());
    await new Promise((resolve) => void systemClock.after(task.everyMs, () => resolve(undefined)));
  }
  await Promise.all(entries);
}

parentPort?.on('message', (word: 'come' | 'speak no more') => {
  if (word === 'come')
    void come().catch((thrown: unknown) => tell({ kind: 'trouble', peerId: '' as PeerId, what: String(thrown) }));
  else void speech?.end().then((spoken) => tell({ kind: 'spoken', ...spoken }));
});
tell({ kind: 'ready' });
