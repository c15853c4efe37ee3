/** The program in `load-tests/viewer`: builds it where Go is, starts it and asks it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { types } from 'mediasoup';

const SOURCE = fileURLToPath(new URL('../viewer', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../node_modules/.cache/bench/viewer', import.meta.url));

/** A transport and a Consumer on it, as mediasoup words them. */
export interface Watching {
  readonly group: string;
  readonly iceParameters: types.IceParameters;
  readonly iceCandidates: types.IceCandidate[];
  readonly dtlsParameters: types.DtlsParameters;
  readonly rtpParameters: types.RtpParameters;
}

/** A stream for a Producer on a PlainTransport. */
export interface Stream {
  readonly port: number;
  readonly ssrc: number;
  readonly payloadType: number;
  readonly picturesPerS: number;
  readonly packetsPerFrame: number;
  readonly packetBytes: number;
  readonly pictures: number;
  readonly firstSequence: number;
  readonly firstPicture: number;
  readonly keyEvery: number;
}

/** A stream in bursts for a Producer on a PlainTransport. */
export interface Burst {
  readonly port: number;
  readonly ssrc: number;
  /** So many at once, with SSRCs in a row. */
  readonly streams?: number;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly framesPerS: number;
  readonly packetsPerFrame: number;
  readonly keyPackets: number;
  /** 0: no key frames. */
  readonly keyEvery: number;
  readonly packetBytes: number;
  readonly frames: number;
}

/** What light viewers saw since they were asked last. */
export interface Seen {
  readonly packets: number;
  /** Numbers that were passed over. */
  readonly missing: number;
  /** Packets twice, or after one that was sent later. */
  readonly misplaced: number;
  /** From the write of the source to the socket of the viewer, ms: p50, p95, p99, max. Empty where nothing came. */
  readonly delays: readonly number[];
}

export interface Viewers {
  /** Connects a viewer that only reads; resolves when it can receive. Its transport knows the certificate already. */
  light(group: string, transport: Pick<types.WebRtcTransport, 'iceParameters' | 'iceCandidates'>): Promise<void>;
  /** Sends a stream to its end. */
  burst(burst: Burst): Promise<{ packets: number }>;
  seen(group: string): Promise<Seen>;
  /** Of the certificate that all viewers show. */
  fingerprint(): Promise<types.DtlsFingerprint>;
  /** Connects a viewer; resolves when it can receive. */
  watch(watching: Watching): Promise<void>;
  /** Answers the SDP offer of another SFU, over this network interface. */
  answer(group: string, sdp: string, interfaceName: string): Promise<string>;
  /** Of the packets that came to a group since the last time, from the source's write to the viewer's read, ms: p50, p95, p99, p99.9, most. */
  slowness(group: string): Promise<readonly number[]>;
  /** What has come to a group of viewers so far. */
  count(group: string): Promise<{ packets: number; bytes: number; viewers: number }>;
  /** Opens a UDP socket on which packets of a stream are awaited; answers its port. */
  tap(name: string): Promise<number>;
  /** How much later each packet since the last time came to the second tap than to the first, by the kernel's stamps, ns. */
  delays(first: string, second: string): Promise<number[]>;
  /** Sends a stream to its end. */
  send(stream: Stream): Promise<{ packets: number }>;
  close(): Promise<void>;
}

/** @throws Error when there is no Go to build it with */
export async function startViewers(): Promise<Viewers> {
  await mkdir(fileURLToPath(new URL('../../node_modules/.cache/bench', import.meta.url)), { recursive: true });
  await promisify(execFile)('go', ['build', '-o', PROGRAM, '.'], { cwd: SOURCE }).catch((cause: unknown) => {
    throw new Error('the viewers could not be built; they need Go 1.25 or newer and its module proxy, once', { cause });
  });
  const child = spawn(PROGRAM, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const asked = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  const fail = (): void => {
    for (const { reject } of asked.values()) reject(new Error('the viewers ended'));
    asked.clear();
  };
  child.on('exit', fail).on('error', fail);
  createInterface(child.stdout).on('line', (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result: never; error?: string };
    const waiting = asked.get(id);
    asked.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(`viewer: ${error}`));
  });
  let last = 0;
  const ask = <T>(op: string, args: object): Promise<T> =>
    new Promise((resolve, reject) => {
      asked.set(++last, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id: last, op, args })}\n`);
    });
  return {
    fingerprint: () => ask('fingerprint', {}),
    watch: (watching) => ask('watch', watching),
    light: (group, { iceParameters, iceCandidates }) =>
      ask('light', {
        group,
        user: iceParameters.usernameFragment,
        password: iceParameters.password,
        ip: iceCandidates[0]?.address,
        port: iceCandidates[0]?.port,
      }),
    burst: (burst) => ask('burst', burst),
    seen: (group) => ask('seen', { group }),
    answer: (group, sdp, interfaceName) => ask('answer', { group, sdp, interface: interfaceName }),
    slowness: (group) => ask('slowness', { group }),
    count: (group) => ask('count', { group }),
    tap: (name) => ask('tap', { name }),
    delays: (first, second) => ask('delays', { first, second }),
    send: (stream) => ask('send', stream),
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
