/** What a cluster holds, by its own figures (/metrics). A run that left something behind shows in it. */

/** Counts by what they are of. */
export type Held = Readonly<Record<string, number>>;

const GAUGES: Readonly<Record<string, string>> = {
  veilcast_signaling_rooms: 'Rooms',
  veilcast_signaling_peers: 'Peers',
  veilcast_node_rooms: 'Rooms on Nodes',
  veilcast_node_peers: 'Peers on Nodes',
  veilcast_node_producers: 'Producers',
  veilcast_node_consumers: 'Consumers',
  veilcast_media_producers: 'Producers in media workers',
  veilcast_media_consumers: 'Consumers in media workers',
  veilcast_node_pipe_ends: 'Pipe ends',
};

/** Nodes take their figures every few seconds, and a Room is kept for a moment after its last Peer. */
const SETTLE_MS = 25_000;
const LOOK_EVERY_MS = 500;
const ANSWER_MS = 5_000;

/** The sums over all labels. Pure. @param text Prometheus' text format */
export function heldIn(text: string): Held {
  const held: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\w+)(?:\{[^}]*\})? ([-+.\deE]+)$/.exec(line) ?? [];
    const what = GAUGES[name];
    if (what !== undefined) held[what] = (held[what] ?? 0) + Number(value);
  }
  return held;
}

/** Undefined where it does not show its figures. */
export async function heldBy(origin: string): Promise<Held | undefined> {
  return fetch(new URL('/metrics', origin), { signal: AbortSignal.timeout(ANSWER_MS) }).then(
    async (answer) => (answer.ok ? heldIn(await answer.text()) : undefined),
    () => undefined,
  );
}

/** Waits until it holds no more than before, not longer than it may need; what it holds then. */
export async function heldAfter(origin: string, isEnough: (held: Held) => boolean): Promise<Held | undefined> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const held = await heldBy(origin);
    if (held === undefined || isEnough(held) || performance.now() > deadline) return held;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
