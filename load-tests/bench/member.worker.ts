/** One member of a group in a thread of its own: the SDK's Membership on the real library, as in a browser's group worker. */
import { parentPort, workerData } from 'node:worker_threads';
import { authenticatorDigits, tsMlsLibrary, type GroupSelf } from '@veilcast/e2ee';
import { Membership } from '@veilcast/client/membership';
import { ClusterError, type Clock, type PeerId, type RoomId } from '@veilcast/protocol';
import type { FromMember, ToMember } from './crowd-messages.ts';

const port = parentPort;
if (!port) throw new Error('this runs in a worker');
const peerId = workerData as PeerId;
const clock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
const asked = new Map<number, { resolve: (epoch: number) => void; reject: (error: Error) => void }>();
let calls = 0;

function tell(message: FromMember): void {
  port?.postMessage(message);
}

function has(word: string, epoch: number): void {
  tell({ kind: 'epoch', epoch, word, at: clock.now() });
}

function ask(make: (call: number) => FromMember): Promise<number> {
  calls += 1;
  const call = calls;
  return new Promise((resolve, reject) => {
    asked.set(call, { resolve, reject });
    tell(make(call));
  });
}

const library = tsMlsLibrary();
const self: GroupSelf = {
  roomId: 'bench' as RoomId,
  peerId,
  leafKey: await library.generateLeafKey(),
  credential: peerId,
  validate: async (credential) => ({ peerId: credential as PeerId }),
};
const membership = new Membership(
  library,
  self,
  {
    commit: (body) => ask((call) => ({ kind: 'commit', call, body })),
    message: async () => undefined,
    offer: async (keyPackage) => void (await ask((call) => ({ kind: 'offer', call, keyPackage }))),
    rejoin: async () => void (await ask((call) => ({ kind: 'rejoin', call }))),
    entered: (keys) => has(authenticatorDigits(keys.authenticator), keys.epoch),
    lost: () => undefined,
    opened: () => undefined,
    refused: () => undefined,
    warned: () => undefined,
  },
  clock,
);

async function obey(message: ToMember): Promise<void> {
  switch (message.kind) {
    case 'event':
      return void membership.take(message.event);
    case 'answer': {
      const waiting = asked.get(message.call);
      asked.delete(message.call);
      if (message.code === undefined) waiting?.resolve(message.epoch ?? 0);
      else waiting?.reject(new ClusterError(message.code));
      return;
    }
    default: {
      const { user, system } = process.threadCpuUsage();
      return tell({ kind: 'cpu', ms: (user + system) / 1_000 });
    }
  }
}

port.on('message', (message: ToMember) => {
  obey(message).catch((error: unknown) => tell({ kind: 'failed', reason: String(error) }));
});
tell({ kind: 'ready' });
