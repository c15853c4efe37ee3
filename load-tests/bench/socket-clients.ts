/** Many clients in one process: each connects, says one thing, and stays. */
import { openWire, type Wire } from '@veilcast/client/wire';
import { newDevice, proveDevice } from '@veilcast/e2ee/identity';
import { systemClock } from '@veilcast/node-kit';
import { Answer, PROTOCOL_VERSION } from '@veilcast/protocol';
import { io } from 'socket.io-client';
import { answer } from './child.ts';

/** How many connect at a time. */
const ABREAST = 10;
const PATIENCE_MS = 30_000;
/** Rooms of a size as they are, not one with everybody in it. */
const ROOM_SIZE = 20;

interface Open {
  readonly open: boolean;
  close(): void;
}

const sockets: Open[] = [];
const LEAF = new Uint8Array(32);
const device = newDevice();

async function tokenOf(url: string, room: string): Promise<string> {
  const response = await fetch(`${url}/api/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ room, role: 'viewer' }),
  });
  return ((await response.json()) as { token: string }).token;
}

async function enter(url: string, index: number, joins: boolean): Promise<void> {
  if (!joins) return greet(url);
  const wire: Wire = await openWire({ url, device: await device, clock: systemClock });
  sockets.push(wire);
  const token = await tokenOf(url, `bench-${Math.floor(index / ROOM_SIZE)}`);
  const proof = await proveDevice(await device, { token, leaf: LEAF, now: Date.now() });
  const body = { version: PROTOCOL_VERSION, token, leafKey: 'A'.repeat(43), device: proof, probes: [] };
  const said = Answer.parse(await wire.send({ id: 1, name: 'join', body }, PATIENCE_MS));
  if (!said.ok) throw new Error(`not joined: ${said.error.code}`);
}

/** socket.io alone. */
async function greet(url: string): Promise<void> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false });
  await socket.timeout(PATIENCE_MS).emitWithAck('m', { id: 1 });
  sockets.push({
    get open() {
      return socket.connected;
    },
    close: () => void socket.disconnect(),
  });
}

const answers = {
  /** Grows the crowd to this size. */
  grow: async ({ url, to, joins }: { url: string; to: number; joins: boolean }) => {
    while (sockets.length < to) {
      const first = sockets.length;
      const many = Math.min(ABREAST, to - first);
      await Promise.all(Array.from({ length: many }, (_, index) => enter(url, first + index, joins)));
    }
    return sockets.filter(({ open }) => open).length;
  },
};
export type SocketClients = typeof answers;

if (import.meta.main)
  answer(answers, () => {
    for (const socket of sockets) socket.close();
  });
