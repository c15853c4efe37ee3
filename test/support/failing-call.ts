/**
 * A call over `up --cluster` whose parts are killed and stopped, and how long pictures stood still meanwhile (DESIGN §7): Ada and Bob in two
 * regions, each a browser of its own, who came to different signaling processes; Cy looks on beside Ada.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { eventually, joinCall, openBrowser, reportOf, type Report } from './browser.ts';
import { makeFilm } from './film.ts';
import { gapOf, watchGaps } from './gaps.ts';
import { ClusterProcesses, isRunning } from './processes.ts';
import { clearOfRotations } from './rotation.ts';

const ROOM = 'failing';
/** Longest wait for a call to be well again. */
const PATIENCE_MS = 60_000;
/** Fresh frames of everybody: more than any buffer holds, so that they were sent after the fault. */
const FRESH = 20;
/** Whom each looks at. */
const VIEWS = [
  ['Ada', 'Bob'],
  ['Bob', 'Ada'],
  ['Cy', 'Ada'],
] as const;

export interface Gaps {
  /** Longest time without a new picture between Ada and Bob, either way, ms. */
  readonly theirs: number;
  /** Of Ada, for Cy, who is on her Node. */
  readonly others: number;
  /** Tracks that any of them was shown of one person: 1 where what came before went on. */
  readonly tracks: number;
  /** Of each who looks at somebody: longest time in which there was nothing to show, moving or not, ms. */
  readonly blank: readonly number[];
}

export interface Failed<T> {
  readonly gaps: Gaps;
  /** What came of breaking it. */
  readonly broken: T;
  /** Of Bob. */
  readonly before: Report;
  readonly after: Report;
}

export class FailingCall {
  readonly cluster: ClusterProcesses;
  readonly #browsers: Browser[] = [];
  readonly #pages = new Map<string, Page>();
  readonly #stopped = new Set<number>();
  #newcomers = 0;
  /** Ada came first, and to this one. */
  #owner = 'signaling-1';

  private constructor(cluster: ClusterProcesses) {
    this.cluster = cluster;
  }

  static async start(): Promise<FailingCall> {
    const call = new FailingCall(await ClusterProcesses.start('eu,us'));
    try {
      // Ada first: the process that she comes to owns the Room.
      await call.#enter('Ada', 'eu', call.cluster.origin, 1);
      await call.#enter('Bob', 'us', call.cluster.other, 2);
      await call.#enter('Cy', 'eu', call.cluster.other, undefined);
      await call.#watch();
      await call.flows(2 * PATIENCE_MS);
      return call;
    } catch (thrown) {
      await call.end();
      throw thrown;
    }
  }

  page(name: string): Page {
    return this.#pages.get(name)!;
  }

  /** Everybody sees fresh pictures of whom they look at. */
  async flows(ms = PATIENCE_MS): Promise<void> {
    await Promise.all(
      VIEWS.map(async ([viewer, other]) => {
        const { frames } = await gapOf(this.page(viewer), other);
        await eventually(
          `${viewer} sees ${other}`,
          () => gapOf(this.page(viewer), other),
          (now) => now.frames > frames + FRESH,
          ms,
        );
      }),
    );
  }

  /** Breaks something, waits until all see each other again, and says how long pictures stood still. */
  async after<T>(happens: (bob: Report) => Promise<T>): Promise<Failed<T>> {
    await clearOfRotations();
    await this.#watch();
    await this.flows();
    const before = await reportOf(this.page('Bob'));
    const broken = await happens(before);
    await this.flows();
    const seen = await Promise.all(VIEWS.map(([viewer, other]) => gapOf(this.page(viewer), other)));
    const [ada = 0, bob = 0, others = 0] = seen.map(({ gapMs }) => gapMs);
    const [tracks, blank] = [seen.map((one) => one.tracks), seen.map(({ blankMs }) => blankMs)];
    const gaps = { theirs: Math.max(ada, bob), others, tracks: Math.max(...tracks), blank };
    return { gaps, broken, before, after: await reportOf(this.page('Bob')) };
  }

  /** Of processes that are there and do nothing; `goOn` ends it. */
  stop(...pids: number[]): void {
    for (const pid of pids) {
      this.#stopped.add(pid);
      process.kill(pid, 'SIGSTOP');
    }
  }

  goOn(): void {
    for (const pid of this.#stopped) if (isRunning(pid)) process.kill(pid, 'SIGCONT');
    this.#stopped.clear();
  }

  /** kill -9. What it gives waits until the supervisor has it running again, and ready. */
  async kill(name: string): Promise<() => Promise<void>> {
    const killed = await this.cluster.pidOf(name);
    process.kill(killed, 'SIGKILL');
    return async () => {
      await eventually(
        `${name} runs again`,
        () => this.cluster.byName(),
        (now) => (now.get(name) ?? killed) !== killed,
        PATIENCE_MS,
      );
      await eventually(
        `${name} is ready`,
        () => this.cluster.isReady(name),
        (now) => now,
        PATIENCE_MS,
      );
    };
  }

  /** kill -9 of the process that owns the Room. The other one owns it next. */
  async killOwner(): Promise<() => Promise<void>> {
    const owner = this.#owner;
    this.#owner = owner === 'signaling-1' ? 'signaling-2' : 'signaling-1';
    return this.kill(owner);
  }

  /** Somebody comes anew, sees Ada move, and goes. Each comes by another name, so that a second try of a test meets nobody of the first. */
  async newcomer(): Promise<void> {
    this.#newcomers += 1;
    const name = `Dan ${this.#newcomers}`;
    const page = await joinCall(this.#browsers.at(-1)!, this.cluster.other, {
      room: ROOM,
      name,
      region: 'eu',
      role: 'viewer',
    });
    await watchGaps(page, 'Ada');
    await eventually(
      `${name} sees Ada`,
      () => gapOf(page, 'Ada'),
      ({ frames }) => frames > FRESH,
      PATIENCE_MS,
    );
    await page.context().close();
  }

  /** Everybody is another Peer than in these reports, and sees the others as who they are now. */
  async cameOver(before: ReadonlyMap<string, Report>): Promise<void> {
    await eventually(
      'all have come over',
      () => this.reports(),
      (now) => {
        const peers = Array.from(now.values(), ({ self }) => self.peerId);
        const isNew = [...now].every(
          ([name, { self }]) => self.peerId !== '' && self.peerId !== before.get(name)?.self.peerId,
        );
        return (
          isNew &&
          [...now.values()].every((one) =>
            peers.every((id) => id === one.self.peerId || one.peers.some(({ peerId }) => peerId === id)),
          )
        );
      },
      PATIENCE_MS,
    );
  }

  /** Of everybody, by name. */
  async reports(): Promise<Map<string, Report>> {
    const asked = [...this.#pages].map(async ([name, page]) => [name, await reportOf(page)] as const);
    return new Map(await Promise.all(asked));
  }

  async end(): Promise<void> {
    this.goOn();
    await Promise.all(this.#browsers.map((browser) => browser.close()));
    await this.cluster.end();
  }

  async #enter(name: string, region: string, origin: string, actor: number | undefined): Promise<void> {
    const film = actor === undefined ? undefined : await makeFilm(join(tmpdir(), 'veilcast-films'), actor);
    const browser = await openBrowser(film);
    this.#browsers.push(browser);
    const role = actor === undefined ? { role: 'viewer' } : {};
    this.#pages.set(name, await joinCall(browser, origin, { room: ROOM, name, region, ...role }));
  }

  async #watch(): Promise<void> {
    await Promise.all(VIEWS.map(([viewer, other]) => watchGaps(this.page(viewer), other)));
  }
}
