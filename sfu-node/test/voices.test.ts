/** Who speaks, measured by a real worker from packets whose content it cannot read. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cluster, pause, ROOM, until, type Cluster, type Commander, type Running } from './cluster.ts';
import { openMicrophone } from './source.ts';

let all: Cluster;
let eu: Running;
let signaling: Commander;

beforeEach(async () => {
  all = cluster();
  eu = await all.node('eu-1');
  signaling = await all.process('signaling', 'eu-1');
  await signaling.call('openPeer', { peerId: 'peer_a', workerId: eu.workerId });
});

afterEach(() => all.close());

/** What was told of this microphone: its levels. */
function levels(producerId: string): number[] {
  return signaling.events.flatMap((event) => {
    if (event.case !== 'voicesHeard') return [];
    expect(event.value.roomId).toBe(ROOM);
    return event.value.voices.filter((voice) => voice.producerId === producerId).map(({ level }) => level);
  });
}

describe('voices', () => {
  test('are told while signaling listens, with their level; whoever is quiet is not', async () => {
    const loud = await openMicrophone(eu.node, eu.workerId, 'prod_loud');
    await signaling.call('listenVoices', { on: true });
    const later = await openMicrophone(eu.node, eu.workerId, 'prod_later');
    const quiet = await openMicrophone(eu.node, eu.workerId, 'prod_quiet_one');
    const talking = setInterval(() => {
      loud.send(-20);
      later.send(-40);
      quiet.send(-90);
    }, 10);
    try {
      await until(() => levels('prod_loud').includes(-20) && levels('prod_later').includes(-40), 'two voices');
      expect(levels('prod_quiet_one')).toEqual([]);
      loud.close();
      await signaling.call('listenVoices', { on: false });
      await pause(50);
      const told = signaling.events.length;
      await pause(600);
      expect(signaling.events.length).toBe(told);
    } finally {
      clearInterval(talking);
    }
  });

  test('are listened to on a Router that opens later, and nowhere once the Room is gone', async () => {
    await signaling.call('listenVoices', { on: true });
    await signaling.call('closePeer', { peerId: 'peer_a' });
    await signaling.call('listenVoices', { on: true });
    await signaling.call('openPeer', { peerId: 'peer_b', workerId: eu.workerId });
    await signaling.call('listenVoices', { on: true });
    await signaling.call('listenVoices', { on: true });
    const loud = await openMicrophone(eu.node, eu.workerId, 'prod_loud');
    const talking = setInterval(() => loud.send(-30), 10);
    try {
      await until(() => levels('prod_loud').includes(-30), 'a voice');
    } finally {
      clearInterval(talking);
    }
  });
});
