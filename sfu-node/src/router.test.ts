import { ClusterError } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MediaProducer, MediaRouter } from './media/port.ts';
import type { LiveWorker } from './media/worker.ts';
import { RoomRouter, WAITERS_PER_ROUTER_MAX } from './router.ts';

function producer(id: string) {
  const made = { id, closed: false, close: () => void (made.closed = true) };
  return made as typeof made & MediaProducer;
}

function router() {
  return new RoomRouter(
    { close: () => undefined } as MediaRouter,
    {} as LiveWorker,
    () => undefined,
    () => undefined,
  );
}

const failing = () => Promise.reject(new TypeError('ssrc already used'));

const codeOf = (error: unknown): string => (error as ClusterError).code;

describe('a Router', () => {
  test('lets everybody who waits go on when the Producer comes, once, and forgets those who gave up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ id: fc.constantFrom('a', 'b'), givesUp: fc.boolean() }), { maxLength: 20 }),
        async (waits) => {
          const here = router();
          const results = waits.map(({ id, givesUp }) => {
            const abort = new AbortController();
            const arrival = here.arrival(id, abort.signal).then(({ path }) => path.join('>'), codeOf);
            return { id, givesUp, arrival, abort };
          });
          for (const { givesUp, abort } of results) if (givesUp) abort.abort(new ClusterError('DEADLINE'));
          expect(here.waiting).toBe(waits.filter(({ givesUp }) => !givesUp).length);
          await here.open('a', {}, ['eu', 'us'], () => Promise.resolve(producer('a')));
          expect(here.waiting).toBe(waits.filter(({ id, givesUp }) => id === 'b' && !givesUp).length);
          here.close();
          for (const { id, givesUp, arrival } of results)
            expect(await arrival).toBe(givesUp ? 'DEADLINE' : id === 'a' ? 'eu>us' : 'CLOSED');
          expect(here.waiting).toBe(0);
        },
      ),
    );
  });

  test('opens a Producer once for its owner, and refuses the id to another', async () => {
    const here = router();
    const [mine, other] = [{}, {}];
    let made = 0;
    const make = () => {
      made++;
      return Promise.resolve(producer('a'));
    };
    const [one, two] = await Promise.all([here.open('a', mine, [], make), here.open('a', mine, [], make)]);
    expect(one).toBe(two);
    expect(made).toBe(1);
    expect(() => here.open('a', other, [], make)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    expect(here.closeProducer('a', other)).toBe(false);
    expect(here.closeProducer('a', mine)).toBe(true);
    expect(one.closed).toBe(true);
  });

  test('a Producer that is closed while it opens is closed as soon as it is open, and never comes', async () => {
    const here = router();
    const opened = Promise.withResolvers<MediaProducer>();
    const mine = {};
    const opening = here.open('a', mine, [], () => opened.promise).catch(codeOf);
    here.closeProducersOf(mine);
    const late = producer('a');
    opened.resolve(late);
    expect(await opening).toBe('CLOSED');
    expect(late.closed).toBe(true);
    expect(here.find('a')).toBeUndefined();
    await here.open('a', {}, [], () => Promise.resolve(producer('a')));
  });

  test('one that could not be opened leaves its id free', async () => {
    const here = router();
    expect(await here.open('a', {}, [], failing).catch(codeOf)).toBe('MALFORMED');
    await here.open('a', {}, [], () => Promise.resolve(producer('a')));
    expect(here.producerIds).toEqual(['a']);
  });

  test('bounds those who wait', async () => {
    const here = router();
    const { signal } = new AbortController();
    const waits = Array.from({ length: WAITERS_PER_ROUTER_MAX }, () => here.arrival('a', signal).catch(codeOf));
    expect(await here.arrival('a', signal).catch(codeOf)).toBe('OVERLOADED');
    here.close();
    expect(new Set(await Promise.all(waits))).toEqual(new Set(['CLOSED']));
  });
});
