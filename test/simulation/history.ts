/**
 * One history by its seed: people come, do what people do, and meet faults; then nothing breaks any more and all must be
 * well; then everybody leaves and nothing may be left.
 */
import type { Role } from '@veilcast/protocol';
import type { SeededRandom } from '@veilcast/testkit';
import { someFault } from './faults.ts';
import { everyMoment, whenCalm, whenEmpty } from './laws.ts';
import type { GroupView } from './member.ts';
import { Person } from './person.ts';
import type { Source } from './stay.ts';
import { World, type Size } from './world.ts';

/** Between two looks at the laws. */
const LOOK_EVERY_MS = 250;
/** Longest way back to calm: a vanished Peer is noticed, Leases expire, a Consumer is asked for again. */
const CALM_WITHIN_MS = 60_000;
/** Calm must last. */
const CALM_LASTS_MS = 2_000;
/** Longest until nothing is left: a node gives back by itself what nobody asks for, after a minute. */
const EMPTY_WITHIN_MS = 150_000;

export interface Outcome {
  readonly broken: readonly string[];
  readonly trace: readonly string[];
  /** Virtual time from the last fault until all was well, and from the last goodbye until nothing was left. */
  readonly calmMs: number;
  readonly emptyMs: number;
  /** Calls under an old Term that nodes were asked to obey. */
  readonly stale: number;
}

/** Runs one history to its end. */
export async function live(seed: number, size: Size): Promise<Outcome> {
  return new History(seed, size).live();
}

class History {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #people: readonly Person[];
  readonly #keys = new Map<string, string>();

  constructor(seed: number, size: Size) {
    this.#world = new World(seed, size);
    this.#random = this.#world.random.fork();
    this.#people = Array.from({ length: size.people }, (_, index) => this.#person(index));
  }

  async live(): Promise<Outcome> {
    const { chronicle, obedience, clock } = this.#world;
    await this.#begin();
    const idle = this.#timers();
    const { size } = this.#world;
    const steps = size.steps + this.#random.int(size.steps);
    for (const person of this.#people) clock.after(this.#random.int(2_000), () => person.come());
    await this.#pass(1_500 + this.#random.int(1_500));
    for (let step = 0; step < steps && chronicle.broken.length === 0; step += 1) {
      if (this.#random.float() < 0.5) this.#act(this.#random.pick(this.#people));
      else someFault(this.#world, this.#random);
      await this.#pass(this.#random.int(1_500));
    }
    const calmMs = await this.#calm();
    const emptyMs = chronicle.broken.length === 0 ? await this.#empty(idle) : 0;
    return { broken: chronicle.broken, trace: chronicle.lines, calmMs, emptyMs, stale: obedience.stale };
  }

  #person(index: number): Person {
    const random = this.#random;
    const { rooms, regions } = this.#world.size;
    const role: Role = random.float() < 0.2 ? 'viewer' : 'speaker';
    const sources: Source[] = role === 'viewer' ? [] : random.float() < 0.5 ? ['microphone', 'camera'] : ['microphone'];
    const options = {
      name: `person-${index}`,
      room: rooms[index % rooms.length] ?? '',
      region: random.pick(regions),
      role,
      sources,
    };
    return new Person(this.#world, options, (view, name) => this.#entered(view, name));
  }

  /** Two keys in one Epoch of one group: people who think that they hear each other, and do not. */
  #entered({ groupId, epoch, key }: GroupView, name: string): void {
    const at = `${groupId} ${epoch}`;
    const known = this.#keys.get(at) ?? key;
    this.#keys.set(at, known);
    if (known !== key) this.#world.chronicle.broke(`${name} has another key of Epoch ${epoch}`);
  }

  async #begin(): Promise<void> {
    const world = this.#world;
    for (const name of world.all) world.start(name);
    await world.clock.runUntil(() => world.ready);
    await world.clock.advance(500);
  }

  /** Timers of each process: while nothing happens, its heartbeats. */
  #timers(): Map<string, number> {
    const { all } = this.#world;
    return new Map(all.map((name) => [name, this.#world.lifeOf(name)?.timers ?? 0]));
  }

  async #pass(ms: number): Promise<void> {
    const { clock, chronicle } = this.#world;
    for (let left = ms; left > 0; left -= LOOK_EVERY_MS) {
      await clock.advance(Math.min(left, LOOK_EVERY_MS));
      for (const law of everyMoment(this.#world)) chronicle.broke(law);
    }
  }

  #act(person: Person): void {
    const random = this.#random;
    const { present } = person;
    if (!person.wants) return person.come();
    const what = random.int(8);
    if (what === 0) return person.go('leave');
    if (what === 1) return person.go('vanish');
    if (what === 2) return person.reload();
    if (present === undefined) return;
    const [producerId, published] = [...present.published].at(-1) ?? [];
    this.#world.chronicle.note(`${person.name} does ${what}`);
    const doing = [
      () => present.member?.resync(),
      () => present.show([...present.known.keys()].filter(() => random.float() < 0.5)),
      () => (producerId && published ? present.setPaused(producerId, !published.paused) : undefined),
      () => (person.role === 'speaker' ? present.publish('screen') : undefined),
      () => (producerId && published?.source === 'screen' ? present.unpublish(producerId) : undefined),
    ][what - 3]?.();
    void doing?.catch(() => undefined);
  }

  /** All faults end. How long until everything is well. */
  async #calm(): Promise<number> {
    const world = this.#world;
    world.cluster.healAll();
    world.cluster.setStore('up');
    for (const name of world.all) {
      world.resume(name);
      if (world.lifeOf(name)?.alive === false) world.start(name);
    }
    world.chronicle.note('no more faults');
    const begun = world.clock.now();
    let since: number | undefined;
    let broken: string[] = [];
    while (world.clock.now() - begun < CALM_WITHIN_MS && world.chronicle.broken.length === 0) {
      await this.#pass(LOOK_EVERY_MS);
      broken = whenCalm(world, this.#people);
      if (broken.length > 0) since = undefined;
      else if (world.clock.now() - (since ??= world.clock.now()) >= CALM_LASTS_MS) return since - begun;
    }
    for (const law of broken) world.chronicle.broke(`never calm: ${law}`);
    return world.clock.now() - begun;
  }

  /** Everybody goes. How long until nothing is left; then the services stop, and no timer may be. */
  async #empty(idle: ReadonlyMap<string, number>): Promise<number> {
    const world = this.#world;
    for (const person of this.#people) if (person.wants) person.go(this.#random.float() < 0.8 ? 'leave' : 'vanish');
    const begun = world.clock.now();
    let broken: string[] = [];
    do {
      await this.#pass(LOOK_EVERY_MS * 2);
      broken = await whenEmpty(world);
      for (const [name, count] of this.#timers()) {
        const more = count - (idle.get(name) ?? 0);
        if (more > 0) broken.push(`${name} has ${more} timers more than before`);
      }
    } while (broken.length > 0 && world.clock.now() - begun < EMPTY_WITHIN_MS);
    const took = world.clock.now() - begun;
    for (const law of broken) world.chronicle.broke(`never empty: ${law}`);
    await world.through(world.close());
    // Frames under way, and Consumers that are asked for again by somebody who is gone.
    await world.clock.advance(12_000);
    if (world.clock.pending() > 0) world.chronicle.broke(`${world.clock.pending()} timers after the end`);
    return took;
  }
}
