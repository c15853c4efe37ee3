/** What a Seat sends and receives by, in one place. */
import type { Publishing } from './media/publishing.ts';
import type { Receiving } from './media/receiving.ts';
import type { Transports } from './media/transports.ts';

/** What there is once a host or the server has let us in. */
export interface SeatMedia {
  readonly transports: Transports;
  readonly publishing: Publishing;
  readonly receiving: Receiving;
}

export function closeMedia({ receiving, transports }: SeatMedia): void {
  receiving.close();
  transports.close();
}
