/**
 * The planner (packages/topology): the time to plan one Room over 10,000 Nodes in eighteen regions, and again after a Node died; how many Pipes
 * that moves; and how far its trees are from the exact optimum.
 */
import type { NodeId, ProducerId, RegionId, RoomId, WorkerId } from '@veilcast/protocol';
import { plan, type Demand, type Plan, type Policy, type View } from '@veilcast/topology';
import { ratios } from '../../packages/topology/optimum/ratios.ts';
import { NAMES, rttMs } from '../../packages/topology/optimum/world.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = { full: { nodes: 10_000, rounds: 20, warmUp: 3 }, tiny: { nodes: 100, rounds: 2, warmUp: 0 } } as const;
const POLICY: Policy = { fanOutMax: 8, depthMax: 8, lingerMs: 0, regions: [] };
const PRODUCER = 'camera' as ProducerId;

function clusterOf(count: number): View {
  const nodes = Array.from({ length: count }, (_, at) => {
    const [nodeId, region] = [`n${at}` as NodeId, NAMES[at % NAMES.length] as RegionId];
    const worker = { workerId: `n${at}/0` as WorkerId, nodeId, region, cpu: 0, streams: 0, reserved: 0, capacity: 1e6 };
    return { nodeId, incarnation: '1', region, state: 'healthy' as const, workers: [worker] };
  });
  return { nodes, rttMs };
}

/** One camera that every other Worker wants. */
function demandOf(view: View): Demand {
  const [source, ...others] = view.nodes.flatMap(({ workers }) => workers.map(({ workerId }) => workerId));
  return {
    roomId: 'everybody' as RoomId,
    peers: [],
    producers: [{ producerId: PRODUCER, workerId: source as WorkerId, kind: 'video' }],
    wants: others.map((workerId) => ({ producerId: PRODUCER, workerId })),
  };
}

function without({ nodes, rttMs: rtt }: View, demand: Demand, gone: NodeId): [View, Demand] {
  const stays = (workerId: WorkerId): boolean => !workerId.startsWith(`${gone}/`);
  return [
    { nodes: nodes.filter(({ nodeId }) => nodeId !== gone), rttMs: rtt },
    { ...demand, wants: demand.wants.filter(({ workerId }) => stays(workerId)) },
  ];
}

/** The Node that feeds most, but the publisher's. */
function busiest(made: Plan): { nodeId: NodeId; feeds: number } {
  const feeds = new Map<string, number>();
  for (const { from } of made.pipes) feeds.set(from, (feeds.get(from) ?? 0) + 1);
  feeds.delete('n0/0');
  const [[workerId, count] = ['', 0]] = [...feeds].toSorted((a, b) => b[1] - a[1]);
  return { nodeId: workerId.split('/')[0] as NodeId, feeds: count };
}

/** Processor time of this thread, ms: one plan is one step of an otherwise idle process, and other work on the machine is not it. */
function timed<T>(run: () => T): [T, number] {
  const begun = process.threadCpuUsage();
  const result = run();
  const { user, system } = process.threadCpuUsage(begun);
  return [result, (user + system) / 1_000];
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { nodes, rounds, warmUp } = EFFORTS[effort];
  const view = clusterOf(nodes);
  const demand = demandOf(view);
  const load = loadNow();
  const samples: Record<'whole' | 'again' | 'moved', number[]> = { whole: [], again: [], moved: [] };
  for (let round = -warmUp; round < rounds; round += 1) {
    const [first, whole] = timed(() => plan(view, demand, POLICY));
    if (first.pipes.length !== nodes - 1) throw new Error(`${first.pipes.length} Pipes for ${nodes} Nodes`);
    const { nodeId, feeds } = busiest(first);
    const [left, wanted] = without(view, demand, nodeId);
    const [second, again] = timed(() => plan(left, wanted, POLICY, first));
    if (second.pipes.length !== nodes - 2) throw new Error(`${second.pipes.length} Pipes after ${nodeId} died`);
    if (round < 0) continue;
    const before = new Set(first.pipes.map(({ pipeId }) => pipeId));
    samples.whole.push(whole);
    samples.again.push(again);
    samples.moved.push(second.pipes.filter(({ pipeId }) => !before.has(pipeId)).length / feeds);
  }
  say(`${rounds} rounds of ${nodes} Nodes`);
  const apart = ratios();
  const note = `one Room, a camera that each of ${nodes} Nodes in ${NAMES.length} regions wants, fan-out ${POLICY.fanOutMax}; processor time`;
  const optimum = 'one viewer to twenty in each of 18 regions; optimum by HiGHS, kept in optimum.json';
  return [
    ...figures(load, [
      { name: 'plan of 10,000 Nodes', unit: 'ms', spread: spreadOf(samples.whole), goal: 100, note },
      { name: 'plan after a Node died', unit: 'ms', spread: spreadOf(samples.again), goal: 100, note },
    ]),
    ...figures(
      load,
      [
        {
          name: 'new Pipes / Pipes that the busiest Node fed, when it died',
          unit: '',
          spread: spreadOf(samples.moved),
          goal: 1,
          note,
        },
        ...[2, 3, 4, 6].map((fanOut) => ({
          name: `delay / exact optimum, out-degree ${fanOut}`,
          unit: '',
          spread: spreadOf(apart.filter((one) => one.fanOut === fanOut).map(({ ratio }) => ratio)),
          goal: 1.01,
          note: optimum,
        })),
      ],
      'p99',
    ),
  ];
}

export const planner: Bench = { name: 'planner', title: 'plans of 10,000 Nodes, and against the exact optimum', run };
