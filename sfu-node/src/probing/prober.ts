/**
 * Measures the ways to other Nodes with small UDP packets, and answers theirs. Whom to measure is told by cascade-routers,
 * over their authenticated Channels, together with the keys; what came of it goes into the reports.
 */
import type { wire } from '@veilcast/control';
import { parseWith, type Clock, type Random } from '@veilcast/protocol';
import { NodeId } from '@veilcast/protocol';
import { createSocket, type Socket } from 'node:dgram';
import { randomBytes, randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { PathStats } from './path-stats.ts';
import { PROBE_KEY_BYTES, readProbe, writeProbe } from './packet.ts';

/** Between two probes of one target; a quarter of it is chance, so that Nodes do not probe in step. */
const PROBE_EVERY_MS = 2_000;
const LOOK_EVERY_MS = 250;
/** Targets of all cascade-routers together. */
const TARGETS_MAX = 96;
/** A list that nobody repeats for this long is of a cascade-router that is gone. */
const LIST_EXPIRY_MS = 60_000;
/** Probes answered in a second. More than all Nodes of a cluster send to one. */
const ANSWERS_MAX = 2_000;
/** Cascade-routers whose lists are kept. */
const LISTS_MAX = 16;

const ProbeNodes = z.object({
  targets: z
    .array(
      z.object({
        nodeId: NodeId,
        end: z.object({
          ip: z.union([z.ipv4(), z.ipv6()]),
          port: z.number().int().min(1).max(65_535),
          key: z.instanceof(Uint8Array).refine((key) => key.length === PROBE_KEY_BYTES),
        }),
      }),
    )
    .max(TARGETS_MAX),
});
type ProbeTarget = z.output<typeof ProbeNodes>['targets'][number];

interface Target {
  to: ProbeTarget;
  readonly stats: PathStats;
  readonly chances: Map<number, number>;
  dueAt: number;
}

export interface ProberOptions {
  /** Address to bind and to tell others. */
  readonly ip: string;
  /** 0: any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
}

export interface PathFigure {
  readonly nodeId: NodeId;
  readonly rttMs: number;
  readonly lossRatio: number;
}

export class Prober {
  readonly end: { readonly ip: string; readonly port: number; readonly key: Uint8Array };
  readonly #options: ProberOptions;
  readonly #socket: Socket;
  readonly #lists = new Map<string, { at: number; targets: readonly ProbeTarget[] }>();
  readonly #targets = new Map<NodeId, Target>();
  readonly #stop: () => void;
  #seq = randomInt(2 ** 31);
  #answered = { since: 0, count: 0 };

  private constructor(socket: Socket, options: ProberOptions) {
    this.#socket = socket;
    this.#options = options;
    this.end = { ip: options.ip, port: socket.address().port, key: randomBytes(PROBE_KEY_BYTES) };
    socket.on('message', (packet, { address, port }) => this.#take(packet, address, port));
    // A target that is away answers with an ICMP error, which is nothing to do about: it counts as lost.
    socket.on('error', () => undefined);
    this.#stop = options.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  /** @throws when the address cannot be bound */
  static async open(options: ProberOptions): Promise<Prober> {
    const socket = createSocket(isIPv6(options.ip) ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(options.port, options.ip, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    socket.unref();
    return new Prober(socket, options);
  }

  /** What this cascade-router wants measured; replaces what it wanted before. @throws ClusterError MALFORMED */
  wanted(by: string, event: wire.ProbeNodes): void {
    const { targets } = parseWith(ProbeNodes, event);
    this.#lists.delete(by);
    this.#lists.set(by, { at: this.#options.clock.now(), targets });
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > LISTS_MAX && oldest !== undefined) this.#lists.delete(oldest);
    this.#merge();
  }

  /** Ways of which at least one probe came back. */
  paths(): PathFigure[] {
    return [...this.#targets].flatMap(([nodeId, { stats }]) => {
      const { rttMs, lossRatio } = stats;
      return rttMs === undefined ? [] : [{ nodeId, rttMs, lossRatio }];
    });
  }

  close(): void {
    this.#stop();
    this.#socket.close();
  }

  #merge(): void {
    const { clock, random } = this.#options;
    const wanted = new Map<NodeId, ProbeTarget>();
    for (const { targets } of this.#lists.values()) {
      for (const target of targets) if (wanted.size < TARGETS_MAX) wanted.set(target.nodeId, target);
    }
    for (const nodeId of this.#targets.keys()) if (!wanted.has(nodeId)) this.#targets.delete(nodeId);
    for (const [nodeId, to] of wanted) {
      const known = this.#targets.get(nodeId);
      if (known && sameEnd(known.to, to)) continue;
      const dueAt = clock.now() + random.float() * PROBE_EVERY_MS;
      this.#targets.set(nodeId, { to, stats: new PathStats(), chances: new Map(), dueAt });
    }
  }

  #look(): void {
    const { clock, random } = this.#options;
    const now = clock.now();
    for (const [by, { at }] of this.#lists) if (now - at > LIST_EXPIRY_MS) this.#lists.delete(by);
    if (this.#lists.size === 0) this.#targets.clear();
    for (const target of this.#targets.values()) {
      target.stats.judge(performance.now());
      if (now < target.dueAt) continue;
      target.dueAt = now + PROBE_EVERY_MS * (0.75 + random.float() / 2);
      this.#probe(target);
    }
  }

  #probe({ to: { end }, stats, chances }: Target): void {
    this.#seq = (this.#seq + 1) >>> 0;
    const seq = this.#seq;
    const chance = randomInt(2 ** 32);
    chances.set(seq, chance);
    const [oldest] = chances.keys();
    if (chances.size > 4 && oldest !== undefined) chances.delete(oldest);
    stats.sent(seq, performance.now());
    this.#socket.send(writeProbe({ kind: 'ask', seq, chance }, end.key), end.port, end.ip, () => undefined);
  }

  #take(packet: Buffer, address: string, port: number): void {
    const now = performance.now();
    const asked = readProbe(packet, 'ask', this.end.key);
    if (asked) {
      if (this.#mayAnswer(now)) {
        this.#socket.send(writeProbe({ ...asked, kind: 'answer' }, this.end.key), port, address, () => undefined);
      }
      return;
    }
    for (const { to, stats, chances } of this.#targets.values()) {
      if (to.end.ip !== address || to.end.port !== port) continue;
      const answer = readProbe(packet, 'answer', to.end.key);
      if (answer && chances.get(answer.seq) === answer.chance) stats.answered(answer.seq, now);
      return;
    }
  }

  #mayAnswer(now: number): boolean {
    if (now - this.#answered.since >= 1_000) this.#answered = { since: now, count: 0 };
    this.#answered.count += 1;
    return this.#answered.count <= ANSWERS_MAX;
  }
}

function sameEnd({ end: a }: ProbeTarget, { end: b }: ProbeTarget): boolean {
  return a.ip === b.ip && a.port === b.port && Buffer.from(a.key).equals(b.key);
}
