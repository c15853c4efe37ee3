/** What befalls the cluster: a crowd, a Region that vanishes, an upgrade of every Node, somebody thrown out. */
import type { RegionId } from '@veilcast/protocol';
import { Histogram } from './histogram.ts';
import { rekey } from './keys.ts';
import type { Node } from './fleet.ts';
import type { Incident, IncidentOf } from './scenario.ts';
import type { Simulation } from './simulation.ts';

/** A host that vanishes silently is judged so after this, ms: 0.75 s of silence and 0.75 to 1 s of doubt (docs/failure.md), and the planner's own 50 ms. */
const DETECT_MS = [1_550, 1_800] as const;
/** Steps in which a Node is emptied. */
const EMPTY_STEPS = 10;
const EMPTY_MS = 50_000;
const CROWD_STEP_MS = 1_000;

export function scheduleIncidents(simulation: Simulation): void {
  for (const incident of simulation.scenario.incidents) {
    simulation.agenda.add(incident.at * 60_000, () => befall(simulation, incident));
  }
}

function befall(simulation: Simulation, incident: Incident): void {
  switch (incident.kind) {
    case 'flashCrowd':
      return flashCrowd(simulation, incident);
    case 'regionLoss':
      return regionLoss(simulation, incident);
    case 'rollingUpgrade':
      return rollingUpgrade(simulation, incident);
    default:
      return hostKick(simulation);
  }
}

function note(simulation: Simulation, kind: Incident['kind'], what: string, delays?: Histogram): void {
  const ms = delays?.quantiles();
  simulation.happened.push({ at: simulation.agenda.now / 1_000, kind, what, ...(ms ? { ms } : {}) });
}

function flashCrowd(simulation: Simulation, { viewers, seconds }: IncidentOf<'flashCrowd'>): void {
  const { agenda, regions, fleet, joining } = simulation;
  const joins = new Histogram();
  const steps = Math.max(1, Math.ceil((seconds * 1_000) / CROWD_STEP_MS));
  for (let step = 0; step < steps; step++) {
    agenda.after(step * CROWD_STEP_MS, () => {
      for (const region of regions) {
        const count = simulation.whole(`crowd ${region}`, (viewers * simulation.shareOf(region)) / steps);
        if (count === 0) continue;
        const { taken, free } = fleet.seatsOf(region);
        joining.come(simulation.homeOf(region), count, CROWD_STEP_MS, taken + free, joins);
        simulation.come(region, count);
      }
    });
  }
  agenda.after(steps * CROWD_STEP_MS, () => {
    const over = simulation.fleet.workers.filter((worker) => worker.viewers > simulation.capacity.workerSeats).length;
    note(
      simulation,
      'flashCrowd',
      `${viewers.toLocaleString('en')} more came in ${seconds} s; ${over.toLocaleString('en')} Workers had more than their seats then. Time until each was in`,
      joins,
    );
  });
}

function regionLoss(simulation: Simulation, { region }: IncidentOf<'regionLoss'>): void {
  const { agenda, fleet, random, joining, model } = simulation;
  const gone = region as RegionId;
  const wayBefore = fleet.nodes.filter((node) => node.region === gone && node.state !== 'gone');
  simulation.lost.add(gone);
  let displaced = 0;
  for (const node of wayBefore) {
    for (const { worker, count } of fleet.lose(node)) {
      displaced += count;
      simulation.people.forget(worker);
    }
  }
  for (const { nodeId } of wayBefore) simulation.stage.leaveNode(nodeId);
  const planMs = model.planMs(fleet.workers.length);
  const detectMs = DETECT_MS[0] + random.float() * (DETECT_MS[1] - DETECT_MS[0]);
  agenda.after(detectMs, () => {
    const home = simulation.homeOf(gone);
    const { taken, free } = fleet.seatsOf(home);
    const delays = new Histogram();
    // They all come at once, to signaling that was made for its own Region.
    joining.come(home, displaced, 1, taken + free, delays, detectMs + planMs, gone);
    simulation.come(gone, displaced);
    const before = simulation.cascade.replan(simulation.stage.demand());
    const { opened, closed } = simulation.cascade.changed(before);
    simulation.plans += 1;
    const over = fleet.workers.filter((worker) => worker.viewers > simulation.capacity.workerSeats).length;
    const left = simulation.waiting.get(gone) ?? 0;
    note(
      simulation,
      'regionLoss',
      `${region} vanished with ${displaced.toLocaleString('en')} viewers on ${wayBefore.length} Nodes; all to ${home} and onwards, ${left.toLocaleString('en')} without a seat at once, ${over.toLocaleString('en')} Workers over their seats; ${opened.toLocaleString('en')} Pipes opened and ${closed.toLocaleString('en')} closed. Time without media`,
      delays,
    );
  });
}

function rollingUpgrade(simulation: Simulation, { sharePerMinute }: IncidentOf<'rollingUpgrade'>): void {
  const { agenda, fleet, scenario } = simulation;
  const began = agenda.now;
  simulation.version = String(Number(simulation.version) + 1);
  const version = simulation.version;
  const left = new Map<RegionId, Node[]>(
    simulation.regions.map((region) => [
      region,
      fleet.nodes.filter((node) => node.region === region && node.state === 'healthy'),
    ]),
  );
  let [moved, homeless] = [0, 0];
  const bootMs = scenario.fleet.bootSeconds * 1_000;
  const perMinute = new Map(
    [...left].map(([region, nodes]) => [region, Math.max(1, Math.ceil(nodes.length * sharePerMinute))]),
  );
  const batch = (): void => {
    let any = false;
    for (const [region, nodes] of left) {
      const some = nodes.splice(0, perMinute.get(region) ?? 1).filter(({ state }) => state === 'healthy');
      if (some.length === 0) continue;
      any = true;
      // Make before break: the new ones are there before the old ones are emptied.
      agenda.after(bootMs, () => {
        for (const _ of some) if (!simulation.lost.has(region)) fleet.addNode(region, version);
        for (const node of some) empty(node);
      });
    }
    if (any) agenda.after(60_000, batch);
    else agenda.after(bootMs + EMPTY_MS + 1_000, finish);
  };
  const empty = (node: Node): void => {
    if (node.state !== 'healthy') return;
    fleet.drain(node);
    simulation.stage.leaveNode(node.nodeId);
    for (let step = 0; step < EMPTY_STEPS; step++) {
      agenda.after((step * EMPTY_MS) / EMPTY_STEPS, () => {
        node.workers.forEach((worker, core) => {
          if (core % EMPTY_STEPS !== step) return;
          moved += worker.viewers;
          homeless += simulation.people.move(worker);
        });
      });
    }
    agenda.after(EMPTY_MS + 500, () => void fleet.lose(node));
  };
  const finish = (): void =>
    note(
      simulation,
      'rollingUpgrade',
      `every Node replaced in ${((agenda.now - began) / 60_000).toFixed(1)} min, ${moved.toLocaleString('en')} viewers moved (make before break), ${homeless.toLocaleString('en')} of them found no seat`,
    );
  batch();
}

function hostKick(simulation: Simulation): void {
  if (!simulation.stage.kick()) return note(simulation, 'hostKick', 'nobody was there to be thrown out');
  const { regions, fleet, model, scenario, random, people } = simulation;
  const byRegion = new Map(regions.map((region) => [region, fleet.seatsOf(region).taken]));
  const found = rekey(model, scenario, byRegion, random.fork(), people.exact ? Number.POSITIVE_INFINITY : undefined);
  simulation.happened.push({
    at: simulation.agenda.now / 1_000,
    kind: 'hostKick',
    what: `a viewer was thrown out of ${found.viewers.toLocaleString('en')}: ${found.levels.levels} levels of groups. Time until everybody has the new key`,
    ms: found.all,
  });
}
