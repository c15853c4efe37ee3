/**
 * The cascade, drawn: regions as areas, nodes as circles with a ring of workers, Pipes as arcs between them. With a
 * room chosen, its tree stands out and the rest steps back.
 */
import { cx } from '@veilcast/design';
import type { ReactElement } from 'react';
import type { NodePicture, Picture, RoomPicture } from '@veilcast/protocol';
import { loadOf } from '../feed/figures.ts';
import { delay, loss, packets, share, short } from '../look/units.ts';
import { linkTo } from '../route/route.ts';
import { words } from '../words.ts';
import styles from './CascadeMap.module.css';
import { arc, frame, placeNodes, placeRegions, segment, type NodeSpot, type RegionSpot } from './layout.ts';
import { dashOf, linksOf, widthOf, type NodeLink } from './links.ts';

interface CascadeMapProps {
  readonly picture: Picture;
  readonly room?: RoomPicture | undefined;
}

export function CascadeMap({ picture, room }: CascadeMapProps): ReactElement {
  const regions = placeRegions(picture.nodes.map(({ region }) => region));
  const spots = new Map(
    regions
      .flatMap((spot) => placeNodes(spot, nodesIn(picture, spot.region)))
      .map((spot) => [spot.nodeId, spot] as const),
  );
  const links = linksOf(room ? picture.pipes.filter(({ roomId }) => roomId === room.roomId) : picture.pipes);
  const between = links.filter(({ from, to }) => from !== to);
  const roles = rolesOf(room);
  return (
    <svg
      className={styles.map}
      viewBox={frame(regions)}
      aria-label={words.map.described(regions.length, picture.nodes.length, between.length)}
    >
      <Heads />
      {regions.map((spot) => (
        <Region key={spot.region} spot={spot} />
      ))}
      {between.map((link) => (
        <Link key={`${link.from} ${link.to}`} link={link} from={spots.get(link.from)} to={spots.get(link.to)} />
      ))}
      {picture.nodes.map((node) => {
        const spot = spots.get(node.nodeId);
        const inside = links.find(({ from, to }) => from === to && from === node.nodeId);
        return (
          spot && (
            <Node
              key={node.nodeId}
              node={node}
              spot={spot}
              role={roles.get(node.nodeId)}
              quiet={room !== undefined && !roles.has(node.nodeId)}
              inside={inside?.pipes ?? 0}
            />
          )
        );
      })}
      {between.map((link) => (
        <Label key={`${link.from} ${link.to}`} link={link} from={spots.get(link.from)} to={spots.get(link.to)} />
      ))}
    </svg>
  );
}

function nodesIn({ nodes }: Picture, region: string): string[] {
  return nodes.filter((node) => node.region === region).map(({ nodeId }) => nodeId);
}

type Role = RoomPicture['routers'][number]['role'];
const RANK: Readonly<Record<Role, number>> = { origin: 0, relay: 1, edge: 2 };

/** What a room's routers are on each node; of several on one, the nearest to the origin. */
function rolesOf(room: RoomPicture | undefined): Map<string, Role> {
  const roles = new Map<string, Role>();
  for (const { nodeId, role } of room?.routers ?? []) {
    const known = roles.get(nodeId);
    if (known === undefined || RANK[role] < RANK[known]) roles.set(nodeId, role);
  }
  return roles;
}

function Heads(): ReactElement {
  return (
    <defs>
      <marker
        id="head"
        viewBox="0 0 8 8"
        refX="6"
        refY="4"
        markerWidth="9"
        markerHeight="9"
        markerUnits="userSpaceOnUse"
        orient="auto"
      >
        <path d="M0 0 8 4 0 8z" className={styles.head} />
      </marker>
    </defs>
  );
}

function Region({ spot }: { readonly spot: RegionSpot }): ReactElement {
  return (
    <g>
      <circle cx={spot.x} cy={spot.y} r={spot.radius} className={styles.region} />
      <text x={spot.x} y={spot.y - spot.radius - 14} className={styles.regionName}>
        {spot.region}
      </text>
    </g>
  );
}

interface LinkProps {
  readonly link: NodeLink;
  readonly from: NodeSpot | undefined;
  readonly to: NodeSpot | undefined;
}

function Link({ link, from, to }: LinkProps): ReactElement | undefined {
  if (!from || !to) return undefined;
  const { path } = arc(from, to);
  const width = widthOf(link.packetsPerSecond);
  const lossy = link.lossRatio > 0.02;
  return (
    <g>
      <path
        d={path}
        className={cx(styles.link, lossy && styles.lossy)}
        strokeWidth={width}
        strokeDasharray={dashOf(link.lossRatio)}
        markerEnd="url(#head)"
      />
      {link.packetsPerSecond > 0 && <path d={path} className={styles.flow} strokeWidth={Math.max(1.5, width * 0.4)} />}
    </g>
  );
}

function Label({ link, from, to }: LinkProps): ReactElement | undefined {
  if (!from || !to) return undefined;
  const { label } = arc(from, to);
  const lossy = link.lossRatio > 0.001;
  return (
    <g transform={`translate(${label.x.toFixed(0)} ${label.y.toFixed(0)})`}>
      <rect x={-62} y={-21} width={124} height={lossy ? 58 : 42} rx={8} className={styles.labelBack} />
      <text className={styles.label} y={-4}>
        {delay(link.rttMs)}
      </text>
      <text className={styles.labelMore} y={13}>
        {packets(link.packetsPerSecond)}
      </text>
      {lossy && (
        <text className={styles.labelLoss} y={30}>
          {loss(link.lossRatio)} lost
        </text>
      )}
    </g>
  );
}

interface NodeProps {
  readonly node: NodePicture;
  readonly spot: NodeSpot;
  readonly role: Role | undefined;
  readonly quiet: boolean;
  readonly inside: number;
}

function Node({ node, spot, role, quiet, inside }: NodeProps): ReactElement {
  const load = loadOf(node);
  const state = words.nodes.states[node.state];
  const more = [
    role === undefined ? undefined : words.map.roles[role],
    node.state === 'healthy' ? undefined : state,
    inside > 0 ? `${inside} inside` : undefined,
  ].filter((part) => part !== undefined);
  return (
    <a href={linkTo({ place: 'nodes', id: node.nodeId })} className={cx(styles.node, quiet && styles.quiet)}>
      <circle cx={spot.x} cy={spot.y} r={spot.radius} className={cx(styles.disc, role && styles.chosen)} />
      {node.workers.map((worker, place) => (
        <Worker key={worker.workerId} spot={spot} place={place} count={node.workers.length} load={worker.cpu} />
      ))}
      <text x={spot.x} y={spot.y + spot.radius + 22} className={styles.nodeName}>
        {short(node.nodeId)}
      </text>
      {spot.radius >= 20 && (
        <text x={spot.x} y={spot.y + 5} className={styles.load}>
          {share(load)}
        </text>
      )}
      {more.length > 0 && (
        <text x={spot.x} y={spot.y + spot.radius + 39} className={cx(styles.nodeState, styles[node.state])}>
          {more.join(' · ')}
        </text>
      )}
    </a>
  );
}

interface WorkerProps {
  readonly spot: NodeSpot;
  readonly place: number;
  readonly count: number;
  readonly load: number;
}

/** A segment of the ring, filled from its beginning by the worker's load. */
function Worker({ spot, place, count, load }: WorkerProps): ReactElement {
  const path = segment(spot, spot.radius - 5, place, count);
  return (
    <>
      <path d={path} className={styles.ring} />
      <path
        d={path}
        pathLength={100}
        strokeDasharray={`${Math.max(1, Math.min(100, load * 100))} 200`}
        className={cx(styles.ring, load > 0.8 ? styles.full : styles.used)}
      />
    </>
  );
}
