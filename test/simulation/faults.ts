/** What breaks: links, processes, workers, the store. Each fault ends by itself after a while, at the latest with the last one. */
import type { SeededRandom } from '@veilcast/testkit';
import type { World } from './world.ts';

type Fault = (world: World, random: SeededRandom) => void;

const FAULTS: readonly Fault[] = [
  cutLink,
  cutLink,
  killProcess,
  killProcess,
  pauseProcess,
  pauseProcess,
  crashWorker,
  loseStore,
  emptyStore,
  strandRouter,
];

/** One of them, somewhere. */
export function someFault(world: World, random: SeededRandom): void {
  random.pick(FAULTS)(world, random);
}

/** Two processes do not hear each other; neither is told. */
function cutLink(world: World, random: SeededRandom): void {
  const a = random.pick(world.all);
  const b = random.pick(world.all.filter((name) => name !== a));
  const ms = 200 + random.int(5_000);
  world.chronicle.note(`${a} and ${b} are cut off for ${ms} ms`);
  world.cluster.cut(a, b);
  world.clock.after(ms, () => world.cluster.heal(a, b));
}

function killProcess(world: World, random: SeededRandom): void {
  const name = random.pick(world.all);
  const ms = 50 + random.int(3_000);
  world.kill(name);
  world.clock.after(ms, () => {
    if (world.lifeOf(name)?.alive === false) world.start(name);
  });
}

/** As under SIGSTOP: shorter or longer than its Leases live. */
function pauseProcess(world: World, random: SeededRandom): void {
  const name = random.pick(world.all);
  if (world.lifeOf(name)?.alive !== true) return;
  const ms = 200 + random.int(6_000);
  world.pause(name);
  world.clock.after(ms, () => world.resume(name));
}

function crashWorker(world: World, random: SeededRandom): void {
  const name = random.pick(world.names.nodes);
  const workers = world.nodes.get(name)?.host.workers ?? [];
  if (workers.length === 0) return;
  world.chronicle.note(`a worker of ${name} dies`);
  random.pick(workers).crash();
}

function loseStore(world: World, random: SeededRandom): void {
  const how = random.pick(['down', 'silent'] as const);
  const ms = 200 + random.int(4_000);
  world.chronicle.note(`the store is ${how} for ${ms} ms`);
  world.cluster.setStore(how);
  world.clock.after(ms, () => world.cluster.setStore('up'));
}

/** It comes back with nothing, after a while in which nobody could ask it. */
function emptyStore(world: World, random: SeededRandom): void {
  const ms = random.pick([0, 200 + random.int(8_000)]);
  world.chronicle.note(`the store is away for ${ms} ms and loses all that it held`);
  if (ms > 0) world.cluster.setStore('down');
  world.clock.after(ms, () => {
    world.cluster.store.forget();
    world.cluster.setStore('up');
  });
}

/** Cut off from the store and from those who ask it, though not from the nodes: others take over what it goes on to own. */
function strandRouter(world: World, random: SeededRandom): void {
  const name = random.pick(world.names.routers);
  const ms = 1_500 + random.int(4_000);
  world.chronicle.note(`${name} is stranded for ${ms} ms`);
  world.cluster.setStore('down', name);
  for (const site of world.names.sites) world.cluster.cut(name, site);
  world.clock.after(ms, () => {
    world.cluster.setStore('up', name);
    for (const site of world.names.sites) world.cluster.heal(name, site);
  });
}
