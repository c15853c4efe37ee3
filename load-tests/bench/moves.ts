/**
 * How long pictures stand still, and how much sound is made up, when media changes its way: two who talk directly go by the server while a third
 * is there, and directly again; the TURN server of one dies. Real Chromiums; read off the frames that pages present and what their browsers count.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf } from '../../test/support/browser.ts';
import { gapsOf, isByServer, isDirect, untilAll, watchConnections, watchGaps } from '../../test/support/connections.ts';
import { makeFilm } from '../../test/support/film.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const ROUNDS = { full: 20, tiny: 1 } as const;
const PATIENCE_MS = 60_000;
/** What a buffer holds is played out, and what the move started has ended. */
const SETTLE_MS = 1_500;

type Two = readonly [Page, Page];

/** Of one move, the worse of two people. ms */
interface Moved {
  /** From the last picture by one way to the first by the other. */
  readonly change: number;
  /** Between any two pictures, from its beginning to its end. */
  readonly longest: number;
  readonly soundMadeUp: number;
}

class Moves {
  readonly #cluster: Cluster;
  readonly #browsers: Browser[];

  constructor(cluster: Cluster, browsers: Browser[]) {
    this.#cluster = cluster;
    this.#browsers = browsers;
  }

  async enter(room: string, name: string, at: number, relay = false): Promise<Page> {
    const context = await this.#browsers[at]!.newContext({
      permissions: ['camera', 'microphone'],
      viewport: { width: 960, height: 640 },
    });
    await context.addInitScript(watchConnections);
    return joinCall(context, this.#cluster.origin, { room, name, region: 'eu', relay });
  }

  /** There and back, round after round. */
  async direct(rounds: number, say: Say): Promise<Readonly<Record<'still' | 'there' | 'back', Moved[]>>> {
    const two: Two = await Promise.all([this.enter('moves', 'Ada', 0), this.enter('moves', 'Bob', 1)]);
    await untilAll('directly', two, isDirect);
    const [still, there, back]: [Moved[], Moved[], Moved[]] = [[], [], []];
    for (let round = 1; round <= rounds; round++) {
      let third: Page | undefined;
      // What the machine does to pictures by itself.
      still.push(await over(two, () => fresh(two)));
      there.push(
        await over(two, async () => {
          third = await this.enter('moves', 'Cleo', 2);
          await untilAll('by the server', two, (report) => report.peers.length === 2 && isByServer(report));
        }),
      );
      back.push(
        await over(two, async () => {
          await third?.context().close();
          await untilAll('directly again', two, isDirect);
        }),
      );
      const [stayed, went, came] = [still, there, back].map((all) => text(all.at(-1)));
      say(`round ${round}: no move ${stayed}; to the server ${went}; directly again ${came}`);
    }
    await Promise.all(two.map((page) => page.context().close()));
    return { still, there, back };
  }

  /** The TURN server that one of them uses is killed. */
  async relay(rounds: number, say: Say): Promise<Moved[]> {
    const two: Two = await Promise.all([this.enter('relays', 'Ada', 0, true), this.enter('relays', 'Bob', 1)]);
    await untilAll('pictures', two, isByServer);
    const all: Moved[] = [];
    for (let round = 1; round <= rounds; round++) {
      const used = (await reportOf(two[0])).self.path?.server ?? '';
      const server = this.#cluster.turns.find(({ iceUrls }) => iceUrls.includes(used));
      if (server?.pid === undefined) throw new Error(`no TURN server of ours at '${used}'`);
      const { pid } = server;
      all.push(
        await over(two, async () => {
          process.kill(pid, 'SIGKILL');
          await eventually(
            'another relay',
            () => reportOf(two[0]),
            ({ self: { path } }) => path?.server !== undefined && path.server !== used,
            PATIENCE_MS,
          );
          await fresh(two);
        }),
      );
      await eventually('coturn again', () => Promise.resolve(server.ready()), Boolean, PATIENCE_MS);
      say(`round ${round}: a relay died ${text(all.at(-1))}`);
    }
    return all;
  }
}

async function over(two: Two, happens: () => Promise<void>): Promise<Moved> {
  await fresh(two);
  const names = ['Bob', 'Ada'] as const;
  await Promise.all(two.map((page, at) => watchGaps(page, names[at]!)));
  const before = await madeUp(two);
  await happens();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const watched = await Promise.all(two.map(gapsOf));
  const after = await madeUp(two);
  return {
    // The same track goes on where the browser found another path for it.
    change: Math.max(...watched.flatMap(({ moves, longest }) => (moves.length > 0 ? moves : [longest]))),
    longest: Math.max(...watched.map(({ longest }) => longest)),
    soundMadeUp: Math.max(...after.map((ms, at) => ms - before[at]!)),
  };
}

async function madeUp(two: Two): Promise<number[]> {
  return Promise.all(two.map(async (page) => personOf(await reportOf(page)).audio.concealedMs));
}

/** Of the other of the two. A third has no sound of its own here. */
function personOf({ peers }: Awaited<ReturnType<typeof reportOf>>) {
  return peers.find(({ name }) => name !== 'Cleo')!;
}

/** More pictures of each other than any buffer holds. */
async function fresh(two: Two): Promise<void> {
  const frames = () => Promise.all(two.map(async (page) => personOf(await reportOf(page)).video.framesDecoded));
  const before = await frames();
  await eventually('fresh pictures', frames, (now) => now.every((each, at) => each > before[at]! + 20), PATIENCE_MS);
}

function text(moved: Moved | undefined): string {
  const { change = 0, longest = 0, soundMadeUp = 0 } = moved ?? {};
  return `${change.toFixed(0)} ms (longest picture ${longest.toFixed(0)} ms, ${soundMadeUp.toFixed(0)} ms of sound made up)`;
}

function figuresOf(load: number, what: string, goalMs: number, all: readonly Moved[]): Figure[] {
  const note = 'three Chromiums and a cluster on one machine, 15 pictures a second; the worse of two people';
  const of = (name: string, pick: (moved: Moved) => number) => ({
    name: `${what}: ${name}`,
    unit: 'ms',
    spread: spreadOf(all.map(pick)),
    note,
  });
  return figures(
    load,
    [
      { ...of('the change of pictures', ({ change }) => change), goal: goalMs },
      of('longest picture meanwhile', ({ longest }) => longest),
      of('sound made up', ({ soundMadeUp }) => soundMadeUp),
    ],
    'p95',
  );
}

async function bench(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const load = loadNow();
  const rounds = ROUNDS[effort];
  const regions = [RegionId.parse('eu'), RegionId.parse('us')];
  const cluster = await startCluster({ port: 0, regions, lan: false, peerToPeer: 'on' });
  const browsers: Browser[] = [];
  try {
    for (const actor of [1, 2, 3])
      browsers.push(await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), actor)));
    const moves = new Moves(cluster, browsers);
    const { still, there, back } = await moves.direct(rounds, say);
    const relays = await moves.relay(rounds, say);
    return [
      ...figuresOf(load, 'no move', 200, still),
      ...figuresOf(load, 'directly to the server', 200, there),
      ...figuresOf(load, 'directly again', 200, back),
      ...figuresOf(load, 'a TURN server dies', 3_000, relays),
    ];
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await cluster.close();
  }
}

export const moves: Bench = { name: 'moves', title: 'gaps when media changes its way', run: bench };
