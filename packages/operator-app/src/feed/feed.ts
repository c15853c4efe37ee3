/**
 * The pictures as they come, once a second, and whether they still come. Keeps the last one when the connection is
 * lost, with its time, and a bounded past of the figures that have a trend.
 */
import { OPERATOR_NAMESPACE, OperatorAnswer, Picture, type ErrorCode } from '@veilcast/protocol';
import { io } from 'socket.io-client';
import { figuresOf, remember, type Moment } from './figures.ts';

/** Pictures come every second; without one for this long something is wrong even when the socket is open. */
const STALE_MS = 4_000;
/** An answer that has not come by then does not come. */
const ASK_MS = 5_000;
/** A server that restarts is back within seconds. */
const AGAIN_MS = 1_000;

/** refused: what comes is not a picture; this page is older or newer than the cluster. */
export type Link = 'connecting' | 'live' | 'lost' | 'refused';

export interface FeedState {
  readonly link: Link;
  readonly picture: Picture | undefined;
  /** When the last picture came, on this machine's clock. */
  readonly cameAt: number;
  readonly past: readonly Moment[];
}

export interface Feed {
  readonly state: () => FeedState;
  readonly subscribe: (listener: () => void) => () => void;
  /** Has a Node emptied and ended. Resolves with why not, or undefined. */
  readonly drain: (nodeId: string) => Promise<ErrorCode | undefined>;
}

/** Opens the feed for the life of the page, and again whenever it is lost. */
export function openFeed(): Feed {
  let state: FeedState = { link: 'connecting', picture: undefined, cameAt: 0, past: [] };
  const listeners = new Set<() => void>();
  const set = (change: Partial<FeedState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };
  const lost = (): void => {
    if (state.link === 'live') set({ link: 'lost' });
  };
  let stale: ReturnType<typeof setTimeout> | undefined;
  const socket = io(OPERATOR_NAMESPACE, { transports: ['websocket'], reconnectionDelayMax: 3_000 });
  // A server that says goodbye, or refuses the namespace, is not tried again by socket.io itself.
  const again = (): void => {
    if (!socket.active) setTimeout(() => socket.connect(), AGAIN_MS);
  };
  socket.on('disconnect', () => {
    lost();
    again();
  });
  socket.on('connect_error', again);
  socket.on('picture', (raw: unknown) => {
    const parsed = Picture.safeParse(raw);
    if (!parsed.success) {
      set({ link: 'refused' });
      return;
    }
    clearTimeout(stale);
    stale = setTimeout(lost, STALE_MS);
    const picture = parsed.data;
    set({ link: 'live', picture, cameAt: Date.now(), past: remember(state.past, figuresOf(picture)) });
  });
  return {
    state: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    drain: async (nodeId) => {
      const asked = socket.timeout(ASK_MS).emitWithAck('drain', { nodeId });
      const answer = OperatorAnswer.safeParse(await asked.catch(() => undefined));
      if (!answer.success) return 'DEADLINE';
      return answer.data.ok ? undefined : answer.data.error.code;
    },
  };
}
