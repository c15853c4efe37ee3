import {
  ClusterError,
  type ConsumerView,
  type ErrorCode,
  type PeerId,
  type ProducerView,
  type RequestName,
} from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signaling } from '../socket.ts';
import type { Transforms } from '../transforms.ts';
import { Receiving, type Received } from './receiving.ts';
import type { Transports } from './transports.ts';

const producer = (name: string): ProducerView =>
  ({ producerId: name, peerId: 'bob', kind: 'video', source: 'camera', paused: false }) as ProducerView;

const view = (producerId: string): ConsumerView =>
  ({
    consumerId: `c-${producerId}`,
    producerId,
    peerId: 'bob' as PeerId,
    kind: 'video',
    rtpParameters: { codecs: [{ mimeType: 'video/VP8' }] },
    path: ['eu-1'],
  }) as unknown as ConsumerView;

/** A server and a browser that do as they are told and write down in which order. */
function world(missing: (producerId: string, tries: number) => boolean = () => false, refusal?: ErrorCode) {
  const clock = virtualClock();
  const log: string[] = [];
  const tries = new Map<string, number>();
  const request = (name: RequestName, body: { producerIds?: string[]; consumerIds?: string[] }) => {
    log.push(`${name} ${(body.producerIds ?? body.consumerIds ?? []).join(' ')}`);
    if (name !== 'consume') return Promise.resolve({});
    const found = (body.producerIds ?? []).filter((producerId) => {
      const before = tries.get(producerId) ?? 0;
      tries.set(producerId, before + 1);
      return !missing(producerId, before);
    });
    if (refusal && found.length === 0) return Promise.reject(new ClusterError(refusal));
    return Promise.resolve({ consumers: found.map(view) });
  };
  const transports = {
    device: { recvRtpCapabilities: { codecs: [] } },
    receive: {
      consume: (options: { id: string; onRtpReceiver: (receiver: unknown) => void }) => {
        options.onRtpReceiver({});
        return Promise.resolve({ track: { kind: 'video' }, close: () => log.push(`closed ${options.id}`) });
      },
    },
  } as unknown as Transports;
  const transforms = {
    open: (_: unknown, { consumerId }: { consumerId: string }) => log.push(`transform ${consumerId}`),
  } as unknown as Transforms;
  const present = new Set<string>();
  const receiving = new Receiving(transports, transforms, { request } as unknown as Signaling, clock, {
    opened: ({ producerId }: Received) => present.add(producerId),
    closed: ({ producerId }: Received) => present.delete(producerId),
    undecodable: ({ producerId }) => log.push(`undecodable ${producerId}`),
  });
  return { clock, log, receiving, present };
}

describe('receiving', () => {
  it('asks once for all that open within a tick, and resumes only what has its transform', async () => {
    const { clock, log, receiving } = world();
    for (const name of ['p1', 'p2', 'p3']) receiving.producerOpened(producer(name));
    await clock.advance(1);
    expect(log).toEqual([
      'consume p1 p2 p3',
      'transform c-p1',
      'transform c-p2',
      'transform c-p3',
      'resumeConsumers c-p1 c-p2 c-p3',
    ]);
  });

  it('asks again for what was not there yet, and gives up in the end', async () => {
    const late = world((producerId, tries) => producerId === 'p1' && tries < 2);
    late.receiving.producerOpened(producer('p1'));
    late.receiving.producerOpened(producer('p2'));
    await late.clock.advance(10_000);
    expect([...late.present].sort()).toEqual(['p1', 'p2']);

    const never = world(() => true);
    never.receiving.producerOpened(producer('p1'));
    await never.clock.advance(60_000);
    expect(never.log).toEqual(Array.from({ length: 4 }, () => 'consume p1'));
    expect(never.clock.pending()).toBe(0);
  });

  it('says what it cannot decode, once nobody sends it in another codec', async () => {
    const { clock, log, receiving } = world(() => true, 'CANNOT_CONSUME');
    receiving.producerOpened(producer('p1'));
    await clock.advance(2_000);
    expect(log).not.toContain('undecodable p1');
    await clock.advance(60_000);
    expect(log.filter((line) => line === 'undecodable p1')).toHaveLength(1);
    const other = world(() => true, 'DEADLINE');
    other.receiving.producerOpened(producer('p1'));
    await other.clock.advance(60_000);
    expect(other.log).not.toContain('undecodable p1');
  });

  it('consumes again what the server closed while its Producer lives', async () => {
    const { clock, receiving, present, log } = world();
    receiving.producerOpened(producer('p1'));
    await clock.advance(1);
    receiving.consumerClosed(producer('p1').producerId);
    expect(present.size).toBe(0);
    await clock.advance(1_000);
    expect([...present]).toEqual(['p1']);
    expect(log).toContain('closed c-p1');
  });

  it('ends with exactly the Producers that live, after any history', async () => {
    const names = ['p1', 'p2', 'p3'];
    const step = fc.record({
      what: fc.constantFrom('opened', 'closed', 'consumerClosed', 'wait'),
      name: fc.constantFrom(...names),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { clock, receiving, present } = world();
        const alive = new Set<string>();
        const interrupted = new Map<string, number>();
        for (const { what, name } of steps) {
          const { producerId } = producer(name);
          if (what === 'opened' && !alive.has(name)) {
            alive.add(name);
            interrupted.set(name, 0);
            receiving.producerOpened(producer(name));
          } else if (what === 'closed') {
            alive.delete(name);
            receiving.producerClosed(producerId);
          } else if (what === 'consumerClosed' && (interrupted.get(name) ?? 0) < 2) {
            interrupted.set(name, (interrupted.get(name) ?? 0) + 1);
            receiving.consumerClosed(producerId);
          } else if (what === 'wait') await clock.advance(100);
        }
        await clock.advance(20_000);
        expect([...present].sort()).toEqual([...alive].sort());
        receiving.close();
        await clock.advance(20_000);
        expect(present.size).toBe(0);
        expect(clock.pending()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
