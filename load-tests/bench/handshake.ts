/** What `veilcast/1` costs: a full and a resumed handshake, in this runtime's own primitives and in noble's, and what a Room saves by sealing once. */
import {
  BroadcastSealer,
  ClientHandshake,
  openManifest,
  pinOf,
  ServerHandshake,
  signManifest,
  type HandshakePorts,
  type Psk,
} from '@veilcast/e2ee/channel';
import { nativeKeyEncapsulation, nativeSignatures } from '../../packages/e2ee/src/pq/native.ts';
import { nobleKeyEncapsulation, nobleSignatures } from '../../packages/e2ee/src/pq/noble.ts';
import { nodeCipher } from '../../signaling/src/node-cipher.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = { full: { rounds: 200, warmUp: 20 }, tiny: { rounds: 3, warmUp: 1 } } as const;
const LIFE_S = 3_600;
/** A Room as full as one group gets, and one event of it. */
const ROOM = 100;
const EVENT_BYTES = 200;

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const PRIMITIVES: Readonly<Record<'native' | 'noble', HandshakePorts>> = {
  native: { keyEncapsulation: nativeKeyEncapsulation(), signatures: nativeSignatures(), random },
  noble: { keyEncapsulation: nobleKeyEncapsulation, signatures: nobleSignatures, random },
};

async function makeWorld(ports: HandshakePorts) {
  const [root, device, kemKey] = await Promise.all([
    ports.signatures.generate(),
    ports.signatures.generate(),
    ports.keyEncapsulation.generate(),
  ]);
  const notBefore = Math.floor(Date.now() / 1_000);
  const claims = { v: 1, id: 'bench', notBefore, expiry: notBefore + LIFE_S } as const;
  const document = await signManifest(root, kemKey.publicKey, claims);
  const manifest = await openManifest(document, pinOf(root.publicKey), Date.now(), ports.signatures);
  return { device, kemKey, manifest };
}
type World = Awaited<ReturnType<typeof makeWorld>>;

interface Handshake {
  readonly client: number;
  readonly server: number;
  readonly bytes: number;
  readonly psk: Psk;
}

async function shake(ports: HandshakePorts, { device, kemKey, manifest }: World, psk?: Psk): Promise<Handshake> {
  let [client, server] = [0, 0];
  const timed = async <T>(side: 'client' | 'server', step: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    const done = await step();
    const took = performance.now() - began;
    if (side === 'client') client += took;
    else server += took;
    return done;
  };
  const near = new ClientHandshake({ ...ports, manifest, ...(psk ? { psk } : {}) });
  const far = new ServerHandshake({
    ...ports,
    kemKey,
    signed: [manifest.signed],
    takePsk: () => psk && { key: psk.key.slice(), devicePublicKey: device.publicKey },
    now: () => Math.floor(Date.now()),
  });
  const m1 = await timed('client', () => near.start());
  const m2 = await timed('server', () => far.greet(m1));
  const { m3, secrets } = await timed('client', () => near.receive(m2, device));
  const { resumed } = await timed('server', () => far.receive(m3));
  if (resumed !== (psk !== undefined)) throw new Error('not the handshake that was asked for');
  const bytes = m1.length + m2.length + m3.length;
  return { client, server, bytes, psk: { id: secrets.pskId, key: secrets.psk } };
}

/** In µs. */
function time(run: () => void): number {
  const began = performance.now();
  run();
  return (performance.now() - began) * 1_000;
}

/** One event to a whole Room. */
function toARoom(rounds: number): { once: number[]; each: number[] } {
  const plain = random(EVENT_BYTES);
  const shared = new BroadcastSealer(nodeCipher, random);
  const sealers = Array.from({ length: ROOM }, () => new BroadcastSealer(nodeCipher, random));
  const once: number[] = [];
  const each: number[] = [];
  for (let round = 0; round < rounds; round++) {
    once.push(time(() => void shared.seal(plain)));
    each.push(
      time(() => {
        for (const sealer of sealers) sealer.seal(plain);
      }),
    );
  }
  return { once, each };
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { rounds, warmUp } = EFFORTS[effort];
  const load = loadNow();
  const all: Omit<Figure, 'load' | 'quote'>[] = [];
  for (const [name, ports] of Object.entries(PRIMITIVES)) {
    const world = await makeWorld(ports);
    const full: Handshake[] = [];
    const resumed: Handshake[] = [];
    for (let round = -warmUp; round < rounds; round++) {
      const one = await shake(ports, world);
      const other = await shake(ports, world, one.psk);
      if (round < 0) continue;
      full.push(one);
      resumed.push(other);
    }
    for (const [kind, done] of Object.entries({ full, resumed })) {
      const note = `${kind} handshake in one process on Node, ${name} primitives, steps one after the other`;
      const client = spreadOf(done.map((each) => each.client));
      const server = spreadOf(done.map((each) => each.server));
      all.push({ name: `${kind}, ${name}: client`, unit: 'ms', spread: client, note });
      all.push({ name: `${kind}, ${name}: server`, unit: 'ms', spread: server, note });
      if (name === 'native') {
        all.push({ name: `${kind}: on the wire`, unit: 'B', spread: spreadOf(done.map(({ bytes }) => bytes)), note });
      }
      say(`${kind}, ${name}: client ${client.median.toFixed(2)} ms, server ${server.median.toFixed(2)} ms`);
    }
  }
  const { once, each } = toARoom(rounds);
  const note = `sealing ${EVENT_BYTES} B for ${ROOM} sockets, AES-256-GCM by OpenSSL; sending is not in it`;
  all.push({ name: 'a Room of 100, sealed once', unit: 'µs', spread: spreadOf(once), note });
  all.push({ name: 'a Room of 100, sealed for each', unit: 'µs', spread: spreadOf(each), note });
  return figures(load, all);
}

export const handshake: Bench = { name: 'handshake', title: 'the sealed channel', run };
