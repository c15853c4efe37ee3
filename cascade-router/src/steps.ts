/** Does one step of a diff on the Nodes, under the Plan's Term. Every call can be repeated: a Node answers the same. */
import type { Authority, Channel } from '@veilcast/control';
import { ClusterError, type WorkerId } from '@veilcast/protocol';
import type { Step } from '@veilcast/topology';

/** Producers that are put on a Pipe at once. More: a large Room asks a Node for all of them in one moment. Fewer: each waits for two round trips. */
const TOGETHER_MAX = 16;

/** The steps of one Pipe in order; what is carried needs the Pipe and nothing of what else it carries. */
export function inTurn(steps: readonly Step[]): Step[][] {
  const turns: Step[][] = [];
  for (const step of steps) {
    const last = turns.at(-1);
    if (step.kind === 'carry' && last?.[0]?.kind === 'carry' && last.length < TOGETHER_MAX) last.push(step);
    else turns.push([step]);
  }
  return turns;
}

export interface StepContext {
  readonly authority: Authority;
  readonly deadlineMs: number;
  /** @throws ClusterError NODE_UNREACHABLE */
  readonly channelTo: (workerId: WorkerId) => Channel;
}

/** @throws ClusterError of the first call that failed; then nothing may be assumed of its effect */
export async function applyStep(step: Step, context: StepContext): Promise<void> {
  const { authority, deadlineMs, channelTo } = context;
  const options = { authority, deadlineMs };
  switch (step.kind) {
    case 'openPipe':
      return openPipe(step, context);
    case 'carry':
      return carry(step, context);
    case 'pauseCarry': {
      const { pipeId, producerId, workerId, paused } = step;
      return channelTo(workerId).request('pauseOnPipe', { pipeId, producerId, workerId, paused }, options);
    }
    case 'stopCarry': {
      const { pipeId, producerId, workerId } = step;
      return channelTo(workerId).request('stopOnPipe', { pipeId, producerId, workerId }, options);
    }
    case 'closePipe': {
      const { pipeId, workerId } = step;
      return channelTo(workerId).request('closePipe', { pipeId, workerId }, options);
    }
  }
}

async function carry(step: Extract<Step, { kind: 'carry' }>, context: StepContext): Promise<void> {
  const { pipeId, producerId, from, to } = step;
  const { authority, deadlineMs, channelTo } = context;
  const options = { authority, deadlineMs };
  const [up, down] = [channelTo(from), channelTo(to)];
  const sent = await up.request('sendOnPipe', { pipeId, producerId, workerId: from }, options);
  const { kind, rtpParameters, paused, path } = sent;
  const received = { pipeId, producerId, workerId: to, kind, rtpParameters, paused, path };
  await down.request('receiveOnPipe', received, options);
}

async function openPipe(step: Extract<Step, { kind: 'openPipe' }>, context: StepContext): Promise<void> {
  const { pipeId, from, to } = step;
  const { authority, deadlineMs, channelTo } = context;
  const options = { authority, deadlineMs };
  const [up, down] = [channelTo(from), channelTo(to)];
  const [upper, lower] = await both(
    up.request('preparePipe', { pipeId, workerId: from }, options),
    down.request('preparePipe', { pipeId, workerId: to }, options),
  );
  const tuple = ({ ip, port, srtpParameters }: typeof upper) => ({ pipeId, ip, port, srtpParameters });
  await both(
    up.request('connectPipe', { ...tuple(lower), workerId: from }, options),
    down.request('connectPipe', { ...tuple(upper), workerId: to }, options),
  );
}

/** Waits for both even when one fails, so that no call is under way when the step is tried again. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'rejected') throw ClusterError.of(a.reason);
  if (b.status === 'rejected') throw ClusterError.of(b.reason);
  return [a.value, b.value];
}
