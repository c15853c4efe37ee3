import type { PipeId, ProducerId, WorkerId } from '@veilcast/protocol';
import type { Step } from '@veilcast/topology';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { inTurn } from './steps.ts';

const [pipeId, from, to] = ['a/0>b/0' as PipeId, 'a/0' as WorkerId, 'b/0' as WorkerId];
const producers = fc.nat(1_000).map((n) => `p${n}` as ProducerId);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ kind: 'openPipe', pipeId, from, to }),
  producers.map((producerId): Step => ({ kind: 'carry', pipeId, from, to, producerId })),
  producers.map((producerId): Step => ({ kind: 'stopCarry', pipeId, workerId: to, producerId })),
);

test('the steps of a Pipe keep their order, and nothing but what is carried is done at once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const turns = inTurn(steps);
      expect(turns.flat()).toEqual(steps);
      for (const turn of turns)
        if (turn.length > 1) expect(new Set(turn.map(({ kind }) => kind))).toEqual(new Set(['carry']));
    }),
  );
});

test('what is carried is put on a Pipe together', () => {
  const carries = ['p1', 'p2', 'p3'].map((id): Step => ({
    kind: 'carry',
    pipeId,
    from,
    to,
    producerId: id as ProducerId,
  }));
  expect(inTurn([{ kind: 'openPipe', pipeId, from, to }, ...carries]).map((turn) => turn.length)).toEqual([1, 3]);
});
