/** Every room, and one room with its tree and its Pipes. */
import { Act } from '@veilcast/design';
import { ExternalLink } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import type { Picture, PipePicture, RoomPicture } from '@veilcast/protocol';
import { go } from '../hooks.ts';
import { arrange, readOrder } from '../look/sorting.ts';
import { bits, count, delay, loss, packets } from '../look/units.ts';
import { CascadeMap } from '../map/CascadeMap.tsx';
import { linkTo, type Route } from '../route/route.ts';
import { words } from '../words.ts';
import { CallLink } from './CallLink.tsx';
import { Card, Empty } from './Card.tsx';
import { DataTable, Filter, Id, type Shown } from './DataTable.tsx';
import { Facts } from './Facts.tsx';
import mapStyles from './MapScreen.module.css';

const ROOMS: readonly Shown<RoomPicture>[] = [
  {
    key: 'id',
    title: words.rooms.id,
    value: ({ roomId }) => roomId,
    cell: ({ roomId }) => <Id id={roomId} href={linkTo({ place: 'rooms', id: roomId })} />,
  },
  { key: 'peers', title: words.rooms.peers, value: ({ peers }) => peers, numeric: true },
  { key: 'waiting', title: words.rooms.waiting, value: ({ waiting }) => waiting, numeric: true },
  { key: 'members', title: words.rooms.members, value: ({ members }) => members, numeric: true },
  { key: 'epoch', title: words.rooms.epoch, value: ({ epoch }) => epoch, numeric: true },
  {
    key: 'door',
    title: words.rooms.locked,
    value: ({ locked }) => (locked ? words.rooms.isLocked : words.rooms.isOpen),
  },
  { key: 'regions', title: words.rooms.regions, value: ({ regions }) => regions.join(', ') },
  { key: 'routers', title: words.rooms.routers, value: ({ routers }) => routers.length, numeric: true },
  { key: 'term', title: words.rooms.term, value: ({ term }) => term, numeric: true },
  { key: 'plan', title: words.rooms.planTerm, value: ({ planTerm }) => planTerm, numeric: true },
];

const PIPES: readonly Shown<PipePicture>[] = [
  { key: 'id', title: words.pipes.id, value: ({ pipeId }) => pipeId, cell: ({ pipeId }) => <Id id={pipeId} /> },
  {
    key: 'from',
    title: words.pipes.from,
    value: ({ fromWorker }) => fromWorker,
    cell: ({ fromWorker }) => <code>{fromWorker}</code>,
  },
  {
    key: 'to',
    title: words.pipes.to,
    value: ({ toWorker }) => toWorker,
    cell: ({ toWorker }) => <code>{toWorker}</code>,
  },
  { key: 'producers', title: words.pipes.producers, value: ({ producers }) => producers, numeric: true },
  {
    key: 'packets',
    title: words.pipes.packets,
    value: ({ packetsPerSecond }) => packetsPerSecond,
    cell: ({ packetsPerSecond }) => packets(packetsPerSecond),
    numeric: true,
  },
  {
    key: 'bits',
    title: words.pipes.bits,
    value: ({ bitsPerSecond }) => bitsPerSecond,
    cell: ({ bitsPerSecond }) => bits(bitsPerSecond),
    numeric: true,
  },
  {
    key: 'rtt',
    title: words.pipes.rtt,
    value: ({ rttMs }) => rttMs ?? -1,
    cell: ({ rttMs }) => delay(rttMs),
    numeric: true,
  },
  {
    key: 'loss',
    title: words.pipes.loss,
    value: ({ lossRatio }) => lossRatio,
    cell: ({ lossRatio }) => loss(lossRatio),
    numeric: true,
  },
];

export function RoomsScreen({ picture, route }: { readonly picture: Picture; readonly route: Route }): ReactElement {
  const { rooms } = picture;
  if (rooms.length === 0) {
    return (
      <Card title={words.places.rooms}>
        <Empty title={words.empty.rooms} more={words.empty.roomsMore}>
          <CallLink />
        </Empty>
      </Card>
    );
  }
  const shown = arrange(rooms, ROOMS, readOrder(route.sort, '-peers'), route.q ?? '').length;
  return (
    <Card
      title={words.places.rooms}
      aside={
        <Filter
          q={route.q}
          shown={words.table.rows(shown, rooms.length)}
          onFilter={(q) => go({ ...route, q }, 'in place')}
        />
      }
    >
      <DataTable
        label={words.places.rooms}
        rows={rooms}
        columns={ROOMS}
        id={({ roomId }) => roomId}
        sort={route.sort}
        fallback="-peers"
        q={route.q}
        onSort={(sort) => go({ ...route, sort }, 'in place')}
      />
    </Card>
  );
}

export function RoomScreen({ picture, id }: { readonly picture: Picture; readonly id: string }): ReactElement {
  const room = picture.rooms.find(({ roomId }) => roomId === id);
  if (!room) {
    return (
      <Card title={id}>
        <Empty title={words.empty.gone(id)} more={words.empty.goneMore} />
      </Card>
    );
  }
  const pipes = picture.pipes.filter(({ roomId }) => roomId === id);
  return (
    <>
      <Card title={id} aside={<OpenCall id={id} />}>
        <RoomFacts room={room} />
      </Card>
      <Card title={words.rooms.tree}>
        <div className={mapStyles.scroll}>
          <CascadeMap picture={picture} room={room} />
        </div>
      </Card>
      <Pipes pipes={pipes} />
      {room.plan.length > 0 && (
        <Card title={words.rooms.plan}>
          <ol>
            {room.plan.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ol>
        </Card>
      )}
    </>
  );
}

function OpenCall({ id }: { readonly id: string }): ReactElement {
  return (
    <Act onPress={() => window.open(`/r/${id}`, '_blank', 'noreferrer')}>
      <ExternalLink size={20} strokeWidth={1.75} aria-hidden />
      {words.rooms.open}
    </Act>
  );
}

function RoomFacts({ room }: { readonly room: RoomPicture }): ReactElement {
  return (
    <Facts
      facts={[
        [words.rooms.peers, count(room.peers)],
        [words.rooms.waiting, count(room.waiting)],
        [words.rooms.members, count(room.members)],
        [words.rooms.epoch, room.epoch],
        [words.rooms.locked, room.locked ? words.rooms.isLocked : words.rooms.isOpen],
        [words.rooms.regions, room.regions.join(', ')],
        [words.rooms.routers, count(room.routers.length)],
        [words.rooms.term, room.term],
        [words.rooms.planTerm, room.planTerm],
      ]}
    />
  );
}

function Pipes({ pipes }: { readonly pipes: readonly PipePicture[] }): ReactElement {
  const [sort, setSort] = useState<string>();
  return (
    <Card title={words.rooms.pipes}>
      {pipes.length === 0 ? (
        <Empty title={words.rooms.noPipes} more="" />
      ) : (
        <DataTable
          label={words.rooms.pipes}
          rows={pipes}
          columns={PIPES}
          id={({ pipeId }) => pipeId}
          sort={sort}
          fallback="id"
          onSort={setSort}
        />
      )}
    </Card>
  );
}
