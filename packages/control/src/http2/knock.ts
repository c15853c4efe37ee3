/** A TCP connection and nothing more: the kernel of the other host answers it, whatever its processes do. */
import { connect } from 'node:net';
import type { Clock } from '@veilcast/protocol';
import type { Sight } from '../carrier.ts';
import { hostPortOf } from './address.ts';

/** Two round trips around the world. Longer: a dead host is told from a hung process later. */
const KNOCK_MS = 600;

export function knockTcp(clock: Clock, address: string): Promise<Sight> {
  return new Promise((resolve) => {
    const socket = connect(hostPortOf(address));
    const end = (sight: Sight): void => {
      stopTimer();
      socket.destroy();
      resolve(sight);
    };
    const stopTimer = clock.after(KNOCK_MS, () => end('nothing'));
    socket.once('connect', () => end('hung'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code === 'ECONNREFUSED' ? 'refused' : 'nothing'));
  });
}
