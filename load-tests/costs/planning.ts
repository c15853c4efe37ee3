/** What the planner costs: one publisher, everybody watches, as many Workers as asked for in eighteen regions. */
import type { NodeId, ProducerId, RegionId, RoomId, WorkerId } from '@veilcast/protocol';
import { place, plan, type Demand, type Plan, type Policy, type View } from '@veilcast/topology';
import { seededRandom } from '@veilcast/testkit';
import { NAMES, rttMs } from '../../packages/topology/optimum/world.ts';
import { cpuMsOf, taken, type Measurement } from './measure.ts';

const POLICY: Policy = { fanOutMax: 16, depthMax: 4, lingerMs: 0, regions: [] };
const TIMES = { full: 15, tiny: 1 } as const;
const WORKERS_PER_NODE = 16;
const IN_A_ROW = 10;

function viewOf(count: number): View {
  const nodes = Array.from({ length: Math.ceil(count / WORKERS_PER_NODE) }, (_, n) => {
    const region = NAMES[n % NAMES.length] as RegionId;
    const nodeId = `${region}-${n}` as NodeId;
    const workers = Array.from({ length: WORKERS_PER_NODE }, (_core, core) => {
      const workerId = `${nodeId}/${core}` as WorkerId;
      return { workerId, nodeId, region, cpu: 0, streams: 0, reserved: 0, capacity: 2_000 };
    });
    return { nodeId, incarnation: '1', region, state: 'healthy' as const, workers };
  });
  return { nodes, rttMs };
}

function demandOf(view: View): Demand {
  const workers = view.nodes.flatMap((node) => node.workers);
  const producerId = 'camera' as ProducerId;
  const source = workers[0]?.workerId ?? ('' as WorkerId);
  return {
    roomId: 'broadcast' as RoomId,
    peers: [],
    producers: [{ producerId, workerId: source, kind: 'video' }],
    wants: workers.slice(1).map(({ workerId }) => ({ producerId, workerId })),
  };
}

export const planning: Measurement = {
  names: ['plan1k', 'plan10k', 'replan10k', 'place10k'],
  async run(effort) {
    const times = TIMES[effort];
    const [small, large] = [viewOf(1_000), viewOf(10_000)];
    const demand = demandOf(large);
    let made: Plan | undefined;
    const from = 'one publisher, all Workers watch, 18 regions, fan-out 16, depth 4';
    const ofSmall = await cpuMsOf(times, () => plan(small, demandOf(small), POLICY));
    const ofLarge = await cpuMsOf(times, () => (made = plan(large, demand, POLICY)));
    const [dead] = made?.pipes ?? [];
    const left = {
      ...large,
      nodes: large.nodes.map((node) => ({
        ...node,
        workers: node.workers.filter(({ workerId }) => workerId !== dead?.to),
      })),
    };
    const again = await cpuMsOf(times, () => plan(left, demand, POLICY, made));
    const probes = NAMES.map((name) => ({ region: name as RegionId, rttMs: rttMs.get(`us-east-1>${name}`) ?? 0 }));
    const present = new Map(demand.wants.map(({ workerId }) => [workerId, 10]));
    const request = { role: 'viewer', probes, present, excluded: new Set<WorkerId>() } as const;
    const random = seededRandom(1);
    const placed = await cpuMsOf(times, () => {
      for (let n = 0; n < IN_A_ROW; n++) place(large, request, POLICY, random);
    });
    const crowded = '10,000 Workers in 18 regions, the Room on all of them; means of 10 in a row';
    return [
      taken('plan1k', ofSmall, from),
      taken('plan10k', ofLarge, from),
      taken('replan10k', again, from),
      taken(
        'place10k',
        placed.map((ms) => ms / IN_A_ROW),
        crowded,
      ),
    ];
  },
};
