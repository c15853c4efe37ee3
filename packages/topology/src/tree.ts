/**
 * Grows the tree of one publisher's Worker: first one long link into each region that has viewers, from the region that
 * makes the mean delay least, then copies inside each region, breadth first. Uses Pipes that exist before it opens new
 * ones, and stays within the fan-out that is left and the depth. What it cannot reach it leaves, and says so.
 */
import type { ProducerId, RegionId, WorkerId } from '@veilcast/protocol';
import { entriesOf, type Waiting } from './entries.ts';
import type { Links } from './links.ts';
import type { Policy, View } from './model.ts';
import { longMs, pipeMs, type Site, type Sites } from './sites.ts';

/** Who gets what from whom. Parents stand before their children. */
export type Parents = Map<WorkerId, WorkerId>;

/** A Worker with publishers, and the Workers which want any of its Producers. */
export interface Root {
  readonly site: Site;
  readonly producers: readonly { readonly producerId: ProducerId; readonly wantedAt: readonly WorkerId[] }[];
  /** All that want any, neighbours of one Node side by side. */
  readonly targets: readonly WorkerId[];
}

export type Forest = ReadonlyMap<WorkerId, Parents>;

/** What all trees of a Room grow on. */
export interface Ground {
  readonly view: View;
  readonly sites: Sites;
  readonly policy: Policy;
  /** Peers on a Worker: whose delay counts how much. */
  readonly peersAt: ReadonlyMap<WorkerId, number>;
}

export interface Growth extends Omit<Ground, 'policy'> {
  readonly links: Links;
  readonly depthMax: number;
  readonly egressMs: Policy['egressMs'];
  /** Workers with publishers: the core, preferred as the way into their region. */
  readonly origins: ReadonlySet<WorkerId>;
  /** Whom those that lost their way to the source fed before, and feed again where they are attached. */
  readonly former?: ReadonlyMap<WorkerId, readonly WorkerId[]> | undefined;
}

interface Reach {
  readonly site: Site;
  readonly depth: number;
  readonly ms: number;
}

/** Adds `targets` to the tree given by `parents`, which it extends. @returns what was not reached */
export function grow(growth: Growth, root: Site, parents: Parents, targets: Iterable<WorkerId>): WorkerId[] {
  return new Growing(growth, root, parents, targets).run();
}

class Growing {
  private readonly growth: Growth;
  private readonly parents: Parents;
  private readonly reached = new Map<WorkerId, Reach>();
  /** In the order in which they were reached. */
  private readonly byRegion = new Map<RegionId, Reach[]>();
  private readonly pending = new Map<RegionId, Set<Site>>();
  /** Those who come with somebody above them, as soon as that is attached. */
  private readonly fed: ReadonlySet<WorkerId>;

  constructor(growth: Growth, root: Site, parents: Parents, targets: Iterable<WorkerId>) {
    this.growth = growth;
    this.parents = parents;
    this.fed = new Set([...(growth.former?.values() ?? [])].flat());
    this.note({ site: root, depth: 0, ms: 0 });
    for (const [child, parent] of parents) {
      const site = growth.sites.get(child);
      const above = this.reached.get(parent);
      if (site && above) this.note(below(growth.view, above, site));
    }
    for (const target of headsFirst(targets, growth.former, this.fed)) {
      const site = growth.sites.get(target);
      if (!site || this.reached.has(target)) continue;
      const waiting = this.pending.get(site.region);
      if (waiting) waiting.add(site);
      else this.pending.set(site.region, new Set([site]));
    }
  }

  run(): WorkerId[] {
    const entries = this.entries();
    if (entries) while (this.enterNearest(entries)) continue;
    // What was cut off goes back as it was before anybody is fed anew.
    if (this.fed.size > 0) {
      while (this.enterNearest(undefined, (site) => !this.fed.has(site.workerId))) continue;
      for (const region of this.pending.keys()) if (this.byRegion.has(region)) this.fill(region);
    }
    while (this.enterNearest()) continue;
    for (const region of this.pending.keys()) this.fill(region);
    return [...this.pending.values()].flatMap((waiting) => [...waiting].map((site) => site.workerId));
  }

  /** Only a tree that starts from nothing is laid out as a whole; what exists is extended where it is nearest. */
  private entries(): ReadonlyMap<RegionId, RegionId> | undefined {
    const [source, ...others] = this.reached.values();
    if (!source || others.length > 0) return undefined;
    const here = source.site.region;
    const elsewhere = [...this.pending].filter(([region]) => region !== here);
    if (elsewhere.length < 2) return undefined;
    const inside = [source.site, ...(this.pending.get(here) ?? [])];
    const regions = [this.waiting(here, inside), ...elsewhere.map(([region, sites]) => this.waiting(region, sites))];
    return entriesOf(this.growth.view, regions, this.growth.depthMax, this.growth.egressMs);
  }

  private waiting(region: RegionId, sites: Iterable<Site>): Waiting {
    let slots = 1;
    let weight = 0;
    for (const { workerId } of sites) {
      slots += this.growth.links.free(workerId) - 1;
      weight += this.growth.peersAt.get(workerId) ?? 1;
    }
    return { region, slots, weight };
  }

  private note(reach: Reach): void {
    this.reached.set(reach.site.workerId, reach);
    const peers = this.byRegion.get(reach.site.region);
    if (peers) peers.push(reach);
    else this.byRegion.set(reach.site.region, [reach]);
  }

  /** With all that hung below it before, as far as the bounds allow. @returns what was attached, `site` first */
  private attach(parent: Reach, site: Site): Reach[] {
    const attached = [this.attachAlone(parent, site)];
    for (const reach of attached) {
      const { workerId } = reach.site;
      for (const child of this.growth.former?.get(workerId) ?? []) {
        const next = this.growth.sites.get(child);
        if (!next || !this.pending.get(next.region)?.has(next) || reach.depth >= this.growth.depthMax) continue;
        if (this.growth.links.has(workerId, child) || this.growth.links.free(workerId) > 0)
          attached.push(this.attachAlone(reach, next));
      }
    }
    return attached;
  }

  private attachAlone(parent: Reach, site: Site): Reach {
    const reach = below(this.growth.view, parent, site);
    this.growth.links.add(parent.site.workerId, site.workerId);
    this.parents.set(site.workerId, parent.site.workerId);
    this.note(reach);
    const waiting = this.pending.get(site.region);
    waiting?.delete(site);
    if (waiting?.size === 0) this.pending.delete(site.region);
    return reach;
  }

  /**
   * The next step towards the region that can be reached soonest: a long link into it or, where its parent's last slot is
   * kept for its own region, the neighbour from which the link will go. False: every region is entered, or none can be.
   * @param entries where given, a region is entered from the one that it names alone
   * @param mayEnter where given, a region is entered by one of these alone
   */
  private enterNearest(entries?: ReadonlyMap<RegionId, RegionId>, mayEnter?: (site: Site) => boolean): boolean {
    let best: { parent: Reach; next: Site; ms: number } | undefined;
    for (const [region, all] of this.pending) {
      if (this.byRegion.has(region)) continue;
      const waiting = mayEnter ? new Set([...all].filter(mayEnter)) : all;
      if (waiting.size === 0) continue;
      const from = entries?.get(region);
      for (const parent of from === undefined ? this.reached.values() : (this.byRegion.get(from) ?? [])) {
        const egressMs = this.growth.egressMs?.[parent.site.region] ?? 0;
        const ms = parent.ms + longMs(this.growth.view, parent.site.region, region) + egressMs;
        if (best && ms >= best.ms) continue;
        const gateway = this.gatewayFrom(parent, waiting);
        const neighbour = gateway ? undefined : this.neighbourOf(parent);
        if (gateway) best = { parent, next: gateway, ms };
        else if (neighbour) {
          const later = ms + pipeMs(this.growth.view, parent.site, neighbour);
          if (!best || later < best.ms) best = { parent, next: neighbour, ms: later };
        }
      }
    }
    if (best) this.attach(best.parent, best.next);
    return best !== undefined;
  }

  private neighbourOf(parent: Reach): Site | undefined {
    const [first] = this.maySend(parent) ? (this.pending.get(parent.site.region) ?? []) : [];
    return first;
  }

  /** The best way into a region from this Worker, if it may send there at all. */
  private gatewayFrom(parent: Reach, waiting: ReadonlySet<Site>): Site | undefined {
    if (parent.depth >= this.growth.depthMax) return undefined;
    // One slot is kept for the Worker's own region, or nobody there could be served from it.
    const kept = this.pending.has(parent.site.region) ? 1 : 0;
    const mayOpen = this.growth.links.free(parent.site.workerId) > kept && isOpen(parent);
    let best: Site | undefined;
    let bestRank = -1;
    for (const site of waiting) {
      const linked = this.growth.links.has(parent.site.workerId, site.workerId);
      if (!linked && !mayOpen) continue;
      const rank =
        (linked ? 16 : 0) +
        (this.growth.origins.has(site.workerId) ? 8 : 0) +
        (this.growth.links.out(site.workerId).size > 0 ? 4 : 0) +
        (this.growth.former?.has(site.workerId) ? 2 : 0) +
        (site.steady ? 1 : 0);
      if (rank > bestRank) [best, bestRank] = [site, rank];
    }
    return best;
  }

  private maySend(reach: Reach): boolean {
    return reach.depth < this.growth.depthMax && isOpen(reach) && this.growth.links.free(reach.site.workerId) > 0;
  }

  /** Copies inside a region, breadth first: Pipes that exist, then new ones, then a further long link in. */
  private fill(region: RegionId): void {
    const entered = this.byRegion.get(region) ?? [];
    const sources = [...entered].sort((a, b) => a.ms - b.ms);
    for (let scanned = 0, opening = 0; this.pending.has(region);) {
      const scan = sources[scanned];
      if (scan) {
        scanned += 1;
        sources.push(...this.followExisting(scan, region));
        continue;
      }
      while (opening < sources.length && !this.maySend(sources[opening] as Reach)) opening += 1;
      const parent = sources[opening] ?? this.anySource();
      if (!parent) return;
      const site = this.nextFor(parent, region);
      if (site) sources.push(...this.attach(parent, site).filter((reach) => reach.site.region === region));
    }
  }

  private followExisting(from: Reach, region: RegionId): Reach[] {
    if (from.depth >= this.growth.depthMax) return [];
    const found: Reach[] = [];
    for (const to of this.growth.links.out(from.site.workerId)) {
      const site = this.growth.sites.get(to);
      if (site?.region === region && this.pending.get(region)?.has(site)) found.push(...this.attach(from, site));
    }
    return found;
  }

  /** Waiting Workers come in the order of their Nodes, so taking the first keeps neighbours together. */
  private nextFor(parent: Reach, region: RegionId): Site | undefined {
    const waiting = this.pending.get(region) ?? new Set<Site>();
    const [first] = waiting;
    if (parent.site.region !== region) return this.gatewayFrom(parent, waiting) ?? first;
    return first;
  }

  /** The soonest reached Worker that may still send; draining ones are the last resort. */
  private anySource(): Reach | undefined {
    const open = [...this.reached.values()].filter(
      (reach) => reach.depth < this.growth.depthMax && this.growth.links.free(reach.site.workerId) > 0,
    );
    open.sort((a, b) => Number(b.site.steady) - Number(a.site.steady) || a.ms - b.ms);
    return open[0];
  }
}

/** What was cut off as a whole is attached by its top, the largest first; what hangs below follows. */
function headsFirst(
  targets: Iterable<WorkerId>,
  former: Growth['former'],
  fed: ReadonlySet<WorkerId>,
): Iterable<WorkerId> {
  if (!former || fed.size === 0) return targets;
  const sizes = new Map<WorkerId, number>();
  for (const head of former.keys()) {
    if (fed.has(head)) continue;
    const below = [head];
    for (const workerId of below) below.push(...(former.get(workerId) ?? []));
    sizes.set(head, below.length);
  }
  const rank = (workerId: WorkerId): number => sizes.get(workerId) ?? (fed.has(workerId) ? 0 : 1);
  return [...targets].sort((a, b) => rank(b) - rank(a));
}

/** May be given new Pipes: healthy, or the publisher's own Worker, from which all must come. */
function isOpen(reach: Reach): boolean {
  return reach.site.steady || reach.depth === 0;
}

function below(view: View, parent: Reach, site: Site): Reach {
  return { site, depth: parent.depth + 1, ms: parent.ms + pipeMs(view, parent.site, site) };
}
