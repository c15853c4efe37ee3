/** Every node and signaling process, and one node with its workers. */
import { cx } from '@veilcast/design';
import { CircleAlert, CircleCheck, CircleX, LogOut, type LucideIcon } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import type { NodePicture, Picture, WorkerPicture } from '@veilcast/protocol';
import type { Feed } from '../feed/feed.ts';
import { loadOf } from '../feed/figures.ts';
import { DrainNode } from './DrainNode.tsx';
import { go } from '../hooks.ts';
import { arrange, readOrder } from '../look/sorting.ts';
import { count, share, since } from '../look/units.ts';
import { linkTo, type Route } from '../route/route.ts';
import { words } from '../words.ts';
import { Card, Empty } from './Card.tsx';
import { DataTable, Filter, Id, type Shown } from './DataTable.tsx';
import { Facts } from './Facts.tsx';
import styles from './Nodes.module.css';

const ICONS: Readonly<Record<NodePicture['state'], LucideIcon>> = {
  healthy: CircleCheck,
  draining: LogOut,
  suspect: CircleAlert,
  gone: CircleX,
};

function NodeState({ state }: { readonly state: NodePicture['state'] }): ReactElement {
  const Icon = ICONS[state];
  return (
    <span className={cx(styles.state, styles[state])}>
      <Icon size={16} strokeWidth={1.75} aria-hidden />
      {words.nodes.states[state]}
    </span>
  );
}

function Load({ value }: { readonly value: number }): ReactElement {
  return (
    <span className={styles.load}>
      <span className={styles.bar} aria-hidden>
        <span
          className={cx(styles.fill, value > 0.8 && styles.full)}
          style={{ transform: `scaleX(${Math.min(1, value)})` }}
        />
      </span>
      {share(value)}
    </span>
  );
}

function total(node: NodePicture, of: (worker: WorkerPicture) => number): number {
  return node.workers.reduce((sum, worker) => sum + of(worker), 0);
}

function nodeColumns(now: number): readonly Shown<NodePicture>[] {
  return [
    {
      key: 'id',
      title: words.nodes.id,
      value: ({ nodeId }) => nodeId,
      cell: ({ nodeId }) => <Id id={nodeId} href={linkTo({ place: 'nodes', id: nodeId })} />,
    },
    { key: 'region', title: words.nodes.region, value: ({ region }) => region },
    {
      key: 'state',
      title: words.nodes.state,
      value: ({ state }) => state,
      cell: ({ state }) => <NodeState state={state} />,
    },
    {
      key: 'up',
      title: words.nodes.up,
      value: ({ upSince }) => now - upSince,
      cell: ({ upSince }) => since(upSince, now),
      numeric: true,
    },
    { key: 'workers', title: words.nodes.workers, value: ({ workers }) => workers.length, numeric: true },
    { key: 'cpu', title: words.nodes.cpu, value: loadOf, cell: (node) => <Load value={loadOf(node)} />, numeric: true },
    ...TALLIES.map(({ key, title, of }): Shown<NodePicture> => ({
      key,
      title,
      value: (node) => total(node, of),
      numeric: true,
    })),
  ];
}

const TALLIES: readonly { key: string; title: string; of: (worker: WorkerPicture) => number }[] = [
  { key: 'routers', title: words.nodes.routers, of: ({ routers }) => routers },
  { key: 'transports', title: words.nodes.transports, of: ({ transports }) => transports },
  { key: 'producers', title: words.nodes.producers, of: ({ producers }) => producers },
  { key: 'consumers', title: words.nodes.consumers, of: ({ consumers }) => consumers },
];

const WORKERS: readonly Shown<WorkerPicture>[] = [
  {
    key: 'id',
    title: words.nodes.worker,
    value: ({ workerId }) => workerId,
    cell: ({ workerId }) => <Id id={workerId} />,
  },
  {
    key: 'cpu',
    title: words.nodes.cpu,
    value: ({ cpu }) => cpu,
    cell: ({ cpu }) => <Load value={cpu} />,
    numeric: true,
  },
  {
    key: 'reserved',
    title: words.nodes.reserved,
    value: ({ reserved }) => reserved,
    cell: ({ reserved }) => <Load value={reserved} />,
    numeric: true,
  },
  ...TALLIES.map(({ key, title, of }): Shown<WorkerPicture> => ({ key, title, value: of, numeric: true })),
];

type Signaling = Picture['signaling'][number];
const SIGNALING: readonly Shown<Signaling>[] = [
  {
    key: 'id',
    title: words.signaling.id,
    value: ({ processId }) => processId,
    cell: ({ processId }) => <Id id={processId} />,
  },
  { key: 'sockets', title: words.signaling.sockets, value: ({ sockets }) => sockets, numeric: true },
  { key: 'rooms', title: words.signaling.rooms, value: ({ rooms }) => rooms, numeric: true },
];

export function NodesScreen({ picture, route }: { readonly picture: Picture; readonly route: Route }): ReactElement {
  const { nodes, signaling } = picture;
  const columns = nodeColumns(picture.at);
  const shown = arrange(nodes, columns, readOrder(route.sort, 'id'), route.q ?? '').length;
  return (
    <>
      <Card
        title={words.places.nodes}
        aside={
          <Filter
            q={route.q}
            shown={words.table.rows(shown, nodes.length)}
            onFilter={(q) => go({ ...route, q }, 'in place')}
          />
        }
      >
        {nodes.length === 0 ? (
          <Empty title={words.empty.nodes} more={words.empty.nodesMore} />
        ) : (
          <DataTable
            label={words.places.nodes}
            rows={nodes}
            columns={columns}
            id={({ nodeId }) => nodeId}
            sort={route.sort}
            fallback="id"
            q={route.q}
            onSort={(sort) => go({ ...route, sort }, 'in place')}
          />
        )}
      </Card>
      <SignalingCard signaling={signaling} />
    </>
  );
}

function SignalingCard({ signaling }: { readonly signaling: readonly Signaling[] }): ReactElement {
  const [sort, setSort] = useState<string>();
  return (
    <Card title={words.signaling.title}>
      <DataTable
        label={words.signaling.title}
        rows={signaling}
        columns={SIGNALING}
        id={({ processId }) => processId}
        sort={sort}
        fallback="id"
        onSort={setSort}
      />
    </Card>
  );
}

interface NodeScreenProps {
  readonly picture: Picture;
  readonly id: string;
  readonly drain: Feed['drain'];
}

export function NodeScreen({ picture, id, drain }: NodeScreenProps): ReactElement {
  const [sort, setSort] = useState<string>();
  const node = picture.nodes.find(({ nodeId }) => nodeId === id);
  if (!node) {
    return (
      <Card title={id}>
        <Empty title={words.empty.gone(id)} more={words.empty.goneMore} />
      </Card>
    );
  }
  return (
    <>
      <Card title={id} aside={node.state === 'healthy' && <DrainNode key={id} id={id} drain={drain} />}>
        <Facts
          facts={[
            [words.nodes.region, node.region],
            [words.nodes.state, <NodeState key="state" state={node.state} />],
            [words.nodes.up, since(node.upSince, picture.at)],
            [words.nodes.incarnation, <Id key="incarnation" id={node.incarnation} />],
            ...TALLIES.map(({ title, of }) => [title, count(total(node, of))] as const),
          ]}
        />
      </Card>
      <Card title={words.nodes.theWorkers}>
        <DataTable
          label={words.nodes.theWorkers}
          rows={node.workers}
          columns={WORKERS}
          id={({ workerId }) => workerId}
          sort={sort}
          fallback="id"
          onSort={setSort}
        />
      </Card>
    </>
  );
}
