import type { ProducerId, RegionId, WorkerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain, nodesOn, pathOf } from './explain.ts';
import { pipeIdOf, workersOf } from './pipes.ts';
import { plan } from './plan.ts';
import { anyPolicy, worlds } from './worlds.fixture.ts';

const worker = (id: string, region: string) => ({
  workerId: id as WorkerId,
  nodeId: id as never,
  region: region as RegionId,
  cpu: 0,
  streams: 0,
  reserved: 0,
  capacity: 1,
});

describe('a Plan explained', () => {
  test('has a line for each Router and each Pipe', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), ({ view, demand, policy }) => {
        const made = plan(view, demand, policy);
        const lines = explain(made, view);
        expect(lines).toHaveLength(made.routers.length + made.pipes.length);
        expect(lines.join('\n')).not.toContain('undefined');
      }),
    );
  });

  test('gives paths along its Pipes, and none to where nothing is brought', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), ({ view, demand, policy }) => {
        const made = plan(view, demand, policy);
        const pipes = new Set(made.pipes.map((pipe) => pipe.pipeId));
        for (const { producerId, workerId } of demand.wants) {
          const path = pathOf(made, producerId, workerId);
          for (const [i, to] of (path ?? []).entries()) {
            const from = path?.[i - 1];
            if (from) expect(pipes).toContain(pipeIdOf(from, to));
          }
          const nodes = nodesOn(path ?? [], view);
          expect(nodes.every((node, i) => node !== nodes[i + 1])).toBe(true);
        }
        expect(pathOf(made, 'nobody' as ProducerId, 'n0/0' as WorkerId)).toBeUndefined();
      }),
    );
  });

  test('names the length of a long link', () => {
    const nodes = ['a eu', 'b us'].map((text) => {
      const [id, region] = text.split(' ') as [string, string];
      const state = 'healthy' as const;
      return {
        nodeId: id as never,
        incarnation: '1',
        region: region as RegionId,
        state,
        workers: [worker(id, region)],
      };
    });
    const pipe = { pipeId: pipeIdOf('a' as WorkerId, 'b' as WorkerId), from: 'a', to: 'b', producerIds: ['p'] };
    const made = { roomId: 'r', routers: [], pipes: [pipe] };
    const view = { nodes, rttMs: new Map([['eu>us', 80]]) };
    expect(explain(made as never, view)).toEqual(['pipe a > b: eu to us, rtt 80 ms, carries 1, depth 1']);
  });
});

describe('the name of a Pipe', () => {
  test('reads back, and nothing else does', () => {
    expect(workersOf(pipeIdOf('n/0' as WorkerId, 'm/1' as WorkerId))).toEqual({ from: 'n/0', to: 'm/1' });
    for (const other of ['', '>', 'a>', '>b', 'a', 'a>b>c']) expect(workersOf(other as never)).toBeUndefined();
  });
});
