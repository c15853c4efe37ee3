import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EffectQueue } from './effect-queue.ts';

/** A step is a list of effects; an effect may cause a step, or be a bug. */
type Effect = { readonly bug: boolean; readonly causes: readonly Effect[] };
const { step } = fc.letrec<{ step: readonly Effect[]; effect: Effect }>((tie) => ({
  step: fc.array(tie('effect'), { maxLength: 3 }),
  effect: fc.record({ bug: fc.boolean(), causes: fc.oneof({ maxDepth: 4 }, fc.constant([]), tie('step')) }),
}));

test('the effects of a step run together and before those of steps that it causes, whatever throws', () => {
  fc.assert(
    fc.property(step, (first) => {
      const ran: number[] = [];
      const bugs: unknown[] = [];
      const queue = new EffectQueue((error) => bugs.push(error));
      let steps = 0;
      let expectedBugs = 0;
      const take = (effects: readonly Effect[]): void => {
        const number = steps++;
        queue.run(
          effects.map(({ bug, causes }) => () => {
            ran.push(number);
            if (causes.length > 0) take(causes);
            if (!bug) return;
            expectedBugs += 1;
            throw new Error('a bug');
          }),
        );
      };
      take(first);
      expect(ran).toEqual([...ran].sort((a, b) => a - b));
      expect(bugs).toHaveLength(expectedBugs);
    }),
  );
});
