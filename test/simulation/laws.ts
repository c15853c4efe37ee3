/** What must hold: at every moment, once all is calm, and after everybody left. Each law answers with what breaks it. */
import { loggable } from '@veilcast/protocol';
import type { FakePipeTransport, FakeRouter } from '@veilcast/testkit';
import type { Person } from './person.ts';
import type { World } from './world.ts';

function routersOf(world: World): FakeRouter[] {
  return [...world.nodes.values()].flatMap(({ host }) => host.workers.flatMap((worker) => [...worker.routers]));
}

function reportOf(world: World) {
  return [...world.nodes.values()].flatMap(({ life, node }) => (life.alive && node ? [node.report()] : []));
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

/** Holds at every moment. */
export function everyMoment(world: World): string[] {
  const broken: string[] = [];
  for (const router of routersOf(world)) {
    for (const producer of router.producers.values())
      if (world.media.arrives(producer) === 'the Pipes go round') broken.push(`the Pipes of ${producer.id} go round`);
  }
  for (const report of reportOf(world)) {
    for (const { workerId, routers } of report.workers ?? []) {
      const rooms = (routers ?? []).map(({ roomId }) => roomId);
      if (new Set(rooms).size < rooms.length) broken.push(`two Routers of one Room on ${workerId}`);
    }
    const ends = (report.pipes ?? []).map(({ roomId, pipeId, workerId }) => `${roomId} ${pipeId} ${workerId}`);
    if (new Set(ends).size < ends.length) broken.push(`a Pipe twice on ${report.nodeId}`);
  }
  broken.push(...world.media.listenerErrors.splice(0).map((error) => `a listener threw: ${String(error)}`));
  return broken;
}

/** Holds once no fault is left and everything had time. */
export function whenCalm(world: World, persons: readonly Person[]): string[] {
  if (!world.ready) return ['not all processes are ready'];
  const rooms = grouped(
    persons.filter((person) => person.wants),
    (person) => person.room,
  );
  const broken = [...rooms].flatMap(([room, those]) => [
    ...roster(world, room, those),
    ...group(world, room, those),
    ...media(world, room, those),
  ]);
  return [...broken, ...cascade(world)];
}

function roster(world: World, room: string, persons: readonly Person[]): string[] {
  const away = persons.filter((person) => person.present === undefined);
  if (away.length > 0) return away.map((person) => `${person.name} is not in`);
  const ids = persons.map((person) => person.present!.peerId).sort();
  const owners = [...world.sites.values()].flatMap(({ site }) =>
    (site.rooms?.all ?? []).filter((owner) => owner.roomId === room),
  );
  if (owners.length !== 1) return [`${room} has ${owners.length} owners`];
  const inside = [...owners[0]!.state.peers.keys()].sort();
  if (inside.join() !== ids.join()) return [`${room} has ${inside.length} Peers, ${ids.length} are there`];
  return persons.flatMap(({ name, present }) => {
    const seen = [...present!.peers, present!.peerId].sort();
    return seen.join() === ids.join() ? [] : [`${name} sees ${seen.length} of ${ids.length} Peers`];
  });
}

function ownerOf(world: World, room: string) {
  return [...world.sites.values()].flatMap(({ site }) => site.rooms?.all ?? []).find(({ roomId }) => roomId === room);
}

function group(world: World, room: string, persons: readonly Person[]): string[] {
  const owner = ownerOf(world, room);
  const ids = persons.flatMap((person) => person.present?.peerId ?? []).sort();
  const broken = persons.flatMap(({ name, present }) => {
    const view = present?.groupView;
    if (view === undefined) return [`${name} has no group`];
    const members = view.leaves.filter((leaf) => leaf !== null).sort();
    if (members.join() !== ids.join()) return [`the group of ${name} has ${members.length} members`];
    return view.epoch === owner?.group.epoch ? [] : [`${name} is in Epoch ${view.epoch} of ${owner?.group.epoch}`];
  });
  const keys = new Set(persons.flatMap((person) => person.present?.groupView?.key ?? []));
  return keys.size > 1 ? [...broken, `${room} has ${keys.size} keys`] : broken;
}

/** Everybody gets everything of everybody else in the Room, of many microphones the chosen ones, and nothing more. */
function media(world: World, room: string, persons: readonly Person[]): string[] {
  const published = persons.flatMap(({ name, present }) =>
    [...(present?.published ?? [])].map(([producerId, one]) => ({ name, producerId, ...one })),
  );
  const owner = ownerOf(world, room);
  const chosen = owner && owner.state.voices.open.size > owner.state.policy.voicesFrom && owner.state.voices.places;
  return persons.flatMap((person) => {
    const { present: stay, sources } = person;
    if (stay === undefined) return [];
    const mine = [...stay.published.values()].map(({ source }) => source);
    const missing = sources.filter((source) => !mine.includes(source)).map((one) => `${person.name} sends no ${one}`);
    const theirs = published.filter(({ name }) => name !== person.name);
    const extra = [...stay.consumers.keys()].filter((id) => !theirs.some(({ producerId }) => producerId === id));
    return [
      ...missing,
      ...extra.map((id) => `${person.name} consumes ${loggable(id)}, which is not there`),
      ...theirs.flatMap(({ name, producerId, source, paused }) => {
        const consumerId = stay.consumers.get(producerId);
        const flow = consumerId === undefined ? 'no Consumer' : world.media.flow(consumerId);
        const isHidden = source !== 'microphone' && stay.hidden.has(producerId);
        const isHeld = source === 'microphone' && chosen && !chosen.has(producerId);
        const should = isHidden || isHeld ? 'the Consumer is paused' : paused ? 'the Producer is paused' : 'flows';
        return flow === should ? [] : [`${person.name} gets ${source} of ${name}: ${flow}`];
      }),
    ];
  });
}

/** Pipes have two joined ends that carry the same, to whoever wants it and by one way only. */
function cascade(world: World): string[] {
  const reports = reportOf(world);
  const ends = reports.flatMap((report) => report.pipes ?? []);
  const broken: string[] = [];
  for (const [key, both] of grouped(ends, ({ roomId, pipeId }) => `${roomId} ${pipeId}`)) {
    const [a, b] = both;
    const up = both.find((end) => (end.pipeId ?? '').startsWith(`${end.workerId}>`));
    const down = both.find((end) => end !== up);
    if (both.length !== 2 || a?.connected !== true || b?.connected !== true) broken.push(`${key} has not two ends`);
    const [sends, receives] = [up?.sends ?? [], down?.receives ?? []];
    if ([...sends].sort().join() !== [...receives].sort().join()) broken.push(`${key} sends what it does not deliver`);
    if (sends.length === 0) broken.push(`${key} carries nothing`);
  }
  const pipes = world.media.counts().pipes;
  if (pipes !== ends.length) broken.push(`${pipes} pipe ends live, ${ends.length} are known`);
  return [...broken, ...unwanted(world)];
}

/** What comes out of a Pipe is consumed by a Peer or goes on through another Pipe. */
function unwanted(world: World): string[] {
  return routersOf(world).flatMap((router) =>
    [...router.transports.values()].flatMap((transport) => {
      if (!isPipe(transport)) return [];
      return [...transport.producers.values()]
        .filter((producer) => producer.consumers.size === 0)
        .map((producer) => `${loggable(producer.id)} comes through a Pipe for nobody`);
    }),
  );
}

function isPipe(transport: object): transport is FakePipeTransport {
  return 'tuple' in transport;
}

/** Holds a while after the last one left: nothing is kept anywhere. */
export async function whenEmpty(world: World): Promise<string[]> {
  const broken: string[] = [];
  const { workers: _, ...counts } = world.media.counts();
  for (const [what, count] of Object.entries(counts)) if (count > 0) broken.push(`${count} ${what} are left`);
  for (const { nodeId, workers, pipes } of reportOf(world)) {
    const routers = (workers ?? []).flatMap((worker) => worker.routers ?? []);
    if (routers.length + (pipes ?? []).length > 0) broken.push(`${nodeId} reports what is not there`);
  }
  for (const { site } of world.sites.values()) if ((site.rooms?.size ?? 0) > 0) broken.push(`${site.name} has a Room`);
  for (const [name, { life }] of world.routers)
    if ((await life.figure('veilcast_cascade_rooms')) !== 0) broken.push(`${name} has a Plan`);
  for (const lease of world.cluster.store.leases.values())
    if (lease.expiresAt > world.clock.now()) broken.push(`the Lease ${lease.key.split('/')[0]} is held`);
  return broken;
}
