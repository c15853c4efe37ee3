import type { ParticipantId, PeerId, PeerView, ProducerId, ProducerView, Source } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Person, RemoteTrack } from './call.ts';
import { FormerSeat } from './former-seat.ts';
import type { Receiving } from './media/receiving.ts';
import { People } from './snapshot.ts';

const peerOf = (id: string) => id as PeerId;
const personOf = (id: string) => id as ParticipantId;
const producer = (producerId: string, peerId: string, source: Source = 'camera') =>
  ({ producerId, peerId, kind: 'video', source, paused: false }) as ProducerView;

/** Peers as `peer: person`, and what is shown of them. */
function former(participants: Record<string, string>, shown: readonly ProducerView[] = []) {
  const clock = virtualClock();
  const log: string[] = [];
  const receiving = { retire: () => log.push('retired'), list: () => shown } as unknown as Receiving;
  const seat = new FormerSeat({
    clock,
    participants: new Map(Object.entries(participants).map(([peer, person]) => [peerOf(peer), personOf(person)])),
    receiving,
    over: () => log.push('over'),
  });
  return { clock, log, seat };
}

describe('the Seat before', () => {
  it('goes on until the others have had time to see us by the new one', async () => {
    const { clock, log, seat } = former({ bob: 'Bob', cy: 'Cy' });
    seat.came(peerOf('bob-2'), personOf('Bob'));
    await clock.advance(5_000);
    expect(log).toEqual(['retired']);
    seat.came(peerOf('cy-2'), personOf('Cy'));
    await clock.advance(2_900);
    expect(log).toEqual(['retired']);
    await clock.advance(200);
    expect(log).toEqual(['retired', 'over']);
  });

  it('sends nothing more by the old way once somebody who came over is put out', () => {
    const { log, seat } = former({ bob: 'Bob', cy: 'Cy' });
    seat.came(peerOf('bob-2'), personOf('Bob'));
    seat.went(peerOf('dan'));
    expect(log).toEqual(['retired']);
    seat.went(peerOf('bob-2'));
    expect(log).toEqual(['retired', 'over']);
  });

  it('does not wait for ever for who does not come back', async () => {
    const { clock, log } = former({ bob: 'Bob' });
    await clock.advance(19_900);
    expect(log).toEqual(['retired']);
    await clock.advance(60_000);
    expect(log).toEqual(['retired', 'over']);
  });

  it('knows two windows of one person apart, and puts a Producer in the place of the same Source', () => {
    const shown = [producer('p1', 'bob'), producer('p2', 'bob', 'screen'), producer('p3', 'bob-window')];
    const { seat } = former({ bob: 'Bob', 'bob-window': 'Bob' }, shown);
    for (const peer of ['new-1', 'new-2', 'new-3']) seat.came(peerOf(peer), personOf('Bob'));
    expect(['new-1', 'new-2', 'new-3'].map((peer) => seat.formerOf(peerOf(peer)))).toEqual([
      'bob',
      'bob-window',
      undefined,
    ]);
    const replaced = ['new-1', 'new-2', 'new-3'].map((peer) => seat.inPlace(producer('n', peer)).replaces);
    expect(replaced).toEqual(['p1', 'p3', undefined]);
    expect(seat.inPlace(producer('n', 'new-1', 'screen')).replaces).toBe('p2');
    // What the server says of a drain stands.
    expect(seat.inPlace({ ...producer('n', 'new-1'), replaces: 'p9' as ProducerId }).replaces).toBe('p9');
  });
});

const view = (peerId: string) => ({ peerId, role: 'speaker', producers: [] }) as unknown as PeerView;
const track = (producerId: string, source: Source) => ({ producerId, source, muted: false }) as unknown as RemoteTrack;

type Action = (people: People) => void;
const SOURCES = ['camera', 'microphone'] as const;
const names = fc.constantFrom('bob', 'cy');
const source = fc.constantFrom(...SOURCES);
/** What a call does while its people come over: `x` was here before, `x-2` is the same person. */
const action: fc.Arbitrary<Action> = fc.oneof(
  names.map(
    (name): Action =>
      (people) =>
        people.join(view(`${name}-2`)),
  ),
  names.map(
    (name): Action =>
      (people) =>
        people.profile(peerOf(`${name}-2`), { name, nameAs: undefined, handRaised: false }),
  ),
  fc.tuple(names, source).map(([name, kind]): Action => (people) => {
    if (people.get(peerOf(`${name}-2`)) === undefined) return;
    people.putTrack(peerOf(`${name}-2`), track(`${name}-2 ${kind}`, kind));
    people.removeTrack(peerOf(name), `${name} ${kind}` as ProducerId);
  }),
);

describe('the people of the Seat before', () => {
  it('are shown once each, with all that they send, whatever has come over', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        let drawn: readonly Person[] = [];
        const people = new People((list) => (drawn = list));
        for (const name of ['bob', 'cy']) {
          people.join(view(name));
          people.profile(peerOf(name), { name, nameAs: undefined, handRaised: false });
          for (const kind of SOURCES) people.putTrack(peerOf(name), track(`${name} ${kind}`, kind));
        }
        people.keepFormer((peerId) => (peerId.endsWith('-2') ? peerOf(peerId.slice(0, -2)) : undefined));
        const shown = () =>
          drawn
            .map(
              ({ name, tracks }) =>
                `${name}: ${tracks
                  .map((one) => one.source)
                  .toSorted()
                  .join()}`,
            )
            .toSorted();
        for (const act of actions) {
          act(people);
          expect(shown()).toEqual(['bob: camera,microphone', 'cy: camera,microphone']);
        }
        people.forgetFormer();
        expect(drawn.every(({ peerId }) => peerId.endsWith('-2'))).toBe(true);
      }),
    );
  });
});
