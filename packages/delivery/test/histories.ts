/** Random lives of a World, and how to hold a law against every step of them. */
import * as fc from 'fast-check';
import { World, type Client, type Taken } from './world.ts';

/** Histories a law. More: slower. Fewer: rare races are met rarely. */
const RUNS = 150;

const DEEDS = [
  ...(['enter', 'enter', 'silent', 'vanish', 'rejoin', 'hang', 'rotate', 'say', 'short', 'long'] as const),
  ...Array.from({ length: 9 }, () => 'up' as const),
  ...Array.from({ length: 12 }, () => 'down' as const),
];

const deed = fc.record({ what: fc.constantFrom(...DEEDS), who: fc.nat(1000), ms: fc.nat(1000) });
const life = fc.array(deed, { minLength: 50, maxLength: 250, size: 'max' });

type Deed = typeof deed extends fc.Arbitrary<infer D> ? D : never;

/** Most people in a World at once: few enough that they meet. */
const CROWD = 8;

function live(world: World, { what, who, ms }: Deed): void {
  const all = [...world.clients.values()];
  const busy = (queue: 'up' | 'down') => all.filter((client) => client[queue].length > 0);
  const pick = (from: readonly Client[]) => from[who % Math.max(1, from.length)];
  const honest = pick(all.filter((client) => client.manner === 'honest'));
  const anyone = pick(all);
  if (what === 'enter' && all.length < CROWD) world.enter('honest');
  if (what === 'silent' && all.length < CROWD) world.enter(who % 3 === 0 ? 'silent' : 'honest');
  if (what === 'vanish' && anyone) world.vanish(anyone.peerId, ms < 400);
  if (what === 'rejoin' && honest?.view) world.loseTrack(honest);
  if (what === 'hang' && honest && ms < 300) honest.manner = 'silent';
  if (what === 'rotate' && honest) world.rotate(honest);
  if (what === 'say' && honest) world.say(honest);
  if (what === 'short') world.pass(ms);
  if (what === 'long') world.pass(ms * 6);
  const up = pick(busy('up'));
  const down = pick(busy('down'));
  if (what === 'up' && up) world.pumpUp(up);
  if (what === 'down' && down) world.pumpDown(down);
}

/** More than any crowd of this size needs. */
const ROUNDS = 5000;

/** Everything that is on its way arrives, and time passes only when nothing is. */
export function calm(world: World, ms: number): void {
  const until = world.now + ms;
  for (let round = 0; round < ROUNDS; round++) {
    const busy = [...world.clients.values()].filter(({ up, down }) => up.length + down.length > 0);
    for (const client of busy) {
      world.pumpUp(client);
      world.pumpDown(client);
    }
    if (busy.length > 0) continue;
    if (world.wakeAt === undefined || world.wakeAt > until) return;
    world.pass(Math.max(0, world.wakeAt - world.now));
  }
  throw new Error('they never come to rest');
}

/** A law with a memory of one life. */
export type Law = (taken: Taken, world: World) => void;

/** Lives random lives and hands every step to a new law of each life; `after` sees how it ended. */
export function everyLife(begin: () => Law, after: (world: World) => void = () => {}): void {
  fc.assert(
    fc.property(life, (deeds) => {
      const law = begin();
      const world: World = new World((taken) => law(taken, world));
      for (const one of deeds) live(world, one);
      after(world);
    }),
    { numRuns: RUNS },
  );
}
