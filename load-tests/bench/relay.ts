/**
 * What coturn costs: processor time of a relayed packet by each way to it, and what the relay adds to a round trip beside the direct
 * way. One client, one echo, one relay thread, all on this host; packets of media's size at an even distance.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { TurnClient, type WireKind } from '@veilcast/turn/client';
import { openSite, type Site } from '../../turn/test/site.ts';
import { cpuNs } from './cpu.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = { full: { packets: 5_000, rounds: 5 }, tiny: { packets: 100, rounds: 1 } } as const;
const PACKET_BYTES = 1_100;
/** A batch a timer tick: timers are too coarse for one packet each. */
const BATCH = 5;
const EVERY_MS = 5;
const SETTLE_MS = 300;
const WIRES: readonly WireKind[] = ['udp', 'tcp', 'tls'];

interface Way {
  send(bytes: Buffer): void;
  onEcho(listener: (bytes: Buffer) => void): void;
  close(): void;
}

async function direct(site: Site): Promise<Way> {
  const socket: Socket = createSocket('udp4');
  socket.connect(site.echo.port, site.echo.ip);
  await once(socket, 'connect');
  return {
    send: (bytes) => socket.send(bytes),
    onEcho: (listener) => void socket.on('message', listener),
    close: () => void socket.close(),
  };
}

async function relayed(site: Site, kind: WireKind): Promise<Way> {
  const client = await TurnClient.open(kind, kind === 'tls' ? site.tls : site.plain, { ca: await site.certificate() });
  await client.allocate(site.credential());
  const channel = await client.bindChannel(site.echo);
  return {
    send: (bytes) => client.sendOn(channel, bytes),
    onEcho: (listener) => (client.onRelayed = ({ bytes }) => listener(bytes)),
    close: () => client.close(),
  };
}

interface Run {
  readonly roundTripsMs: readonly number[];
  /** Of coturn, for each packet that it relayed: one out and one back. */
  readonly nsAPacket: number;
}

async function run(site: Site, way: Way, packets: number): Promise<Run> {
  const sentAt = new Float64Array(packets);
  const roundTripsMs: number[] = [];
  way.onEcho((bytes) => roundTripsMs.push(performance.now() - (sentAt[bytes.readUInt32BE(0)] ?? 0)));
  const pid = site.server.pid ?? Number.NaN;
  const before = await cpuNs(pid);
  for (let number = 0; number < packets;) {
    for (const last = Math.min(packets, number + BATCH); number < last; number++) {
      const packet = Buffer.alloc(PACKET_BYTES);
      packet.writeUInt32BE(number, 0);
      sentAt[number] = performance.now();
      way.send(packet);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const spentNs = (await cpuNs(pid)) - before;
  return { roundTripsMs, nsAPacket: spentNs / (packets + roundTripsMs.length) };
}

async function bench(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { packets, rounds } = EFFORTS[effort];
  const load = loadNow();
  const site = await openSite();
  const ways = new Map<string, Way>();
  try {
    while (!site.server.ready()) await new Promise((resolve) => setTimeout(resolve, 20));
    ways.set('direct', await direct(site));
    for (const kind of WIRES) ways.set(kind, await relayed(site, kind));
    const taken = new Map([...ways.keys()].map((name) => [name, { us: [] as number[], ms: [] as number[] }]));
    // In turns, so that what else the machine does falls on all of them.
    for (let round = 1; round <= rounds; round++) {
      for (const [name, way] of ways) {
        const { nsAPacket, roundTripsMs } = await run(site, way, packets);
        taken.get(name)?.us.push(nsAPacket / 1_000);
        taken.get(name)?.ms.push(...roundTripsMs);
        say(
          `round ${round}, ${name}: ${roundTripsMs.length}/${packets} back, ${(nsAPacket / 1_000).toFixed(1)} µs a packet`,
        );
      }
    }
    const note = `coturn on loopback, one thread, ${PACKET_BYTES} B, ${(BATCH * 1_000) / EVERY_MS} packets/s each way at most`;
    return WIRES.flatMap((kind) => {
      const { us, ms } = taken.get(kind) ?? { us: [], ms: [] };
      return figures(load, [
        { name: `coturn, a relayed packet by ${kind}`, unit: 'µs', spread: spreadOf(us), note },
        {
          name: `coturn, packets a second of a core by ${kind}`,
          unit: '1/s',
          spread: spreadOf(us.map((one) => 1e6 / one)),
          note,
        },
        { name: `round trip to a peer by TURN over ${kind}`, unit: 'ms', spread: spreadOf(ms), note },
      ]);
    }).concat(
      figures(load, [
        {
          name: 'round trip to the same peer directly',
          unit: 'ms',
          spread: spreadOf(taken.get('direct')?.ms ?? []),
          note,
        },
      ]),
    );
  } finally {
    for (const way of ways.values()) way.close();
    await site.close();
  }
}

export const relay: Bench = { name: 'relay', title: 'what TURN costs beside a direct path', run: bench };
