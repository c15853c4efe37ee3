/**
 * Bare mediasoup, our cluster's node and Janus in one run: the same packets from one source to the same viewers under the same SRTP suite, in
 * turns. LiveKit is not in it: it takes streams by its own signaling alone, and there is no client of it here.
 */
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { forwarding, perPacketUs, ratios, type Compared, type Round, type Side } from './forward.ts';
import { spreadOf } from './spread.ts';

const SIDES: readonly Side[] = [
  { name: 'bare mediasoup', kind: 'bare' },
  { name: 'cluster node', kind: 'node' },
  { name: 'Janus', kind: 'janus' },
];

const EFFORTS = {
  full: { viewers: 60, turns: 15, pictures: 60 },
  tiny: { viewers: 2, turns: 1, pictures: 15 },
} as const;

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const size = EFFORTS[effort];
  const load = loadNow();
  say('LiveKit is not measured: there is no client of its signaling here');
  return figuresOf(await forwarding(SIDES, size, say), load, size.viewers);
}

function figuresOf({ rounds, seatings }: Compared, load: number, viewers: number): Figure[] {
  const note =
    `${viewers} WebRTC viewers of one stream of 150 packets/s of 1.1 kB, AEAD_AES_128_GCM, in turns; ` +
    "Janus 1.1.2 as Debian ships it, with Debian's libsrtp, one event loop";
  const all = SIDES.flatMap(({ name }) => {
    const of = (pick: (round: Round) => number) => spreadOf((rounds[name] ?? []).map(pick));
    const { joinMs = [], viewerKiB = Number.NaN } = seatings[name] ?? {};
    return [
      { name: `${name}: forwarded packet`, unit: 'µs CPU', spread: of(perPacketUs), note },
      ...(['p50', 'p95', 'p99', 'p99.9'] as const).map((label, at) => ({
        name: `${name}: delay, ${label}`,
        unit: 'ms',
        spread: of(({ delays }) => delays[at] ?? Number.NaN),
        note,
      })),
      { name: `${name}: a viewer's way in`, unit: 'ms', spread: spreadOf(joinMs), note },
      { name: `${name}: memory a viewer`, unit: 'KiB', spread: spreadOf([viewerKiB]), note },
    ];
  });
  const beside = ['cluster node', 'Janus'].map((name) => ({
    name: `forwarded packet, ${name} ÷ bare mediasoup`,
    unit: '×',
    spread: spreadOf(ratios(rounds, name, 'bare mediasoup')),
    note,
  }));
  return figures(load, [...beside, ...all]);
}

export const peers: Bench = { name: 'peers', title: 'beside bare mediasoup and Janus', run };
