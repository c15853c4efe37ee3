/** Many clients in one process: each connects, says one thing, and stays. */
import { newDevice, proveDevice } from '@veilcast/e2ee/identity';
import { io, type Socket } from 'socket.io-client';
import { answer } from './child.ts';

/** How many connect at a time. */
const ABREAST = 10;
const PATIENCE_MS = 30_000;
/** Rooms of a size as they are, not one with everybody in it. */
const ROOM_SIZE = 20;

const sockets: Socket[] = [];
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
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false });
  sockets.push(socket);
  const token = joins ? await tokenOf(url, `bench-${Math.floor(index / ROOM_SIZE)}`) : '';
  const proof = joins ? await proveDevice(await device, { token, leaf: LEAF, now: Date.now() }) : LEAF;
  const body = { version: 1, token, leafKey: 'A'.repeat(43), device: proof, probes: [] };
  const said = (await socket.timeout(PATIENCE_MS).emitWithAck('m', { id: 1, name: 'join', body })) as { ok: boolean };
  if (!said.ok) throw new Error(`not joined: ${JSON.stringify(said)}`);
}

const answers = {
  /** Grows the crowd to this size. */
  grow: async ({ url, to, joins }: { url: string; to: number; joins: boolean }) => {
    while (sockets.length < to) {
      const first = sockets.length;
      const many = Math.min(ABREAST, to - first);
      await Promise.all(Array.from({ length: many }, (_, index) => enter(url, first + index, joins)));
    }
    return sockets.filter((socket) => socket.connected).length;
  },
};
export type SocketClients = typeof answers;

if (import.meta.main)
  answer(answers, () => {
    for (const socket of sockets) socket.disconnect();
  });
