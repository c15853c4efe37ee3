import type { ProducerId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShownTile } from '../call.ts';
import { TileReports, TILES_INTERVAL_MS } from './tiles.ts';

const tile = (width: number): ShownTile => ({ producerId: 'p' as ProducerId, width, height: 90, visible: true });

describe('tile reports', () => {
  it('are never closer than the interval, never repeat, and end with the last picture shown', async () => {
    const history = fc.array(
      fc.record({ wait: fc.integer({ min: 0, max: 250 }), width: fc.integer({ min: 1, max: 4 }) }),
    );
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const clock = virtualClock();
        const sent: { at: number; width: number }[] = [];
        const reports = new TileReports(clock, (tiles) => sent.push({ at: clock.now(), width: tiles[0].width }));
        for (const { wait, width } of steps) {
          await clock.advance(wait);
          reports.show([tile(width)]);
        }
        await clock.advance(TILES_INTERVAL_MS);
        expect(sent.at(-1)?.width).toBe(steps.at(-1)?.width);
        for (const [index, one] of sent.slice(1).entries()) {
          expect(one.at - sent[index].at).toBeGreaterThanOrEqual(TILES_INTERVAL_MS);
          expect(one.width).not.toBe(sent[index].width);
        }
        expect(clock.pending()).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('go out at once the first time, and again for a new Peer', async () => {
    const clock = virtualClock();
    const sent: ShownTile[][] = [];
    const reports = new TileReports(clock, (tiles) => sent.push(tiles));
    reports.repeat();
    expect(sent).toHaveLength(0);
    reports.show([tile(320.4)]);
    expect(sent).toEqual([[tile(320)]]);
    reports.repeat();
    await clock.advance(TILES_INTERVAL_MS);
    expect(sent).toEqual([[tile(320)], [tile(320)]]);
  });

  it('send nothing after close', async () => {
    const clock = virtualClock();
    let sent = 0;
    const reports = new TileReports(clock, () => (sent += 1));
    reports.show([tile(1)]);
    reports.show([tile(2)]);
    reports.close();
    await clock.advance(1_000);
    expect(sent).toBe(1);
  });

  it('are smaller under a limit, of what the application says and of what it has not said', async () => {
    const clock = virtualClock();
    const sent: ShownTile[][] = [];
    const reports = new TileReports(clock, (tiles) => sent.push(tiles));
    const unsaid = () => [tile(640)];
    const limit = async (layersMax: number | null) => {
      reports.limit(layersMax, unsaid);
      await clock.advance(TILES_INTERVAL_MS);
      return sent.at(-1)?.[0];
    };
    expect(await limit(7)).toBeUndefined();
    expect(await limit(null)).toMatchObject({ width: 640, visible: false });
    expect(await limit(7)).toMatchObject({ width: 640, visible: true });
    reports.show([tile(1_600)]);
    await clock.advance(TILES_INTERVAL_MS);
    expect(await limit(0)).toMatchObject({ width: 400, visible: true });
    reports.show([tile(1_200)]);
    await clock.advance(TILES_INTERVAL_MS);
    expect(sent.at(-1)?.[0]).toMatchObject({ width: 400 });
    expect(await limit(7)).toMatchObject({ width: 1_200 });
  });
});
