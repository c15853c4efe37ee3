/**
 * Reads along on the Channels of the nodes and the cascade-routers: who acts under which Term, and what was done about it. Two laws: no
 * two processes ever act under one Term, and whoever has seen a Term does nothing under a lower one.
 */
import { decodeFrame, type Carrier, type Link } from '@veilcast/control';
import { loggable } from '@veilcast/protocol';
import type { Chronicle } from './chronicle.ts';

const PLAN_CALLS: ReadonlySet<string> = new Set([
  'preparePipe',
  'connectPipe',
  'sendOnPipe',
  'receiveOnPipe',
  'stopOnPipe',
  'pauseOnPipe',
  'closePipe',
]);

/** Hello, request and response are the first fields of a Frame (control.proto). */
const LAST_FIELD = 3;

/** Events and pings are most of what is sent, and no business of ours: they are passed over unread. */
function said(bytes: Uint8Array): ReturnType<typeof decodeFrame> {
  return (bytes[0] ?? 0) >> 3 <= LAST_FIELD ? decodeFrame(bytes) : undefined;
}

interface Asked {
  readonly call: string;
  readonly lease: string;
  readonly term: number;
  readonly isStale: boolean;
}

/** Of all nodes of one history. */
export class Obedience {
  /** Calls under a lower Term than their node had seen. A history without any tries nothing. */
  stale = 0;
  readonly #chronicle: Chronicle;
  /** By Lease and Term: who acted under it. */
  readonly #holders = new Map<string, string>();

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle;
  }

  /** The carrier of one life of a node. */
  of(node: string, carrier: Carrier): Carrier {
    const highest = new Map<string, number>();
    return {
      dial: (address) => carrier.dial(address),
      listen: (address, accept) => carrier.listen(address, (link) => accept(this.#read(node, link, highest))),
    };
  }

  #read(node: string, link: Link, highest: Map<string, number>): Link {
    let remote = '';
    const asked = new Map<bigint, Asked>();
    return {
      send: (bytes) => {
        const frame = said(bytes);
        if (frame?.case === 'response') this.#answered(node, asked, frame.value);
        return link.send(bytes);
      },
      onFrame: (listener) =>
        link.onFrame((bytes) => {
          const frame = said(bytes);
          if (frame?.case === 'hello') remote = `${frame.value.processId} ${frame.value.incarnation}`;
          // Without a Term it is no effect on a Room.
          if (frame?.case === 'request' && frame.value.term > 0n) {
            const { id, call, roomId, term } = frame.value;
            asked.set(id, this.#asked(remote, call.case ?? '', roomId, Number(term), highest));
          }
          listener(bytes);
        }),
      onClose: (listener) => link.onClose(listener),
      close: () => link.close(),
    };
  }

  #asked(remote: string, call: string, roomId: string, term: number, highest: Map<string, number>): Asked {
    const lease = `${PLAN_CALLS.has(call) ? 'plan' : 'room'}/${roomId}`;
    const holder = this.#holders.get(`${lease} ${term}`) ?? remote;
    this.#holders.set(`${lease} ${term}`, holder);
    if (holder !== remote) this.#chronicle.broke(`two owners act in Term ${term} of ${lease}`);
    const seen = highest.get(lease) ?? 0;
    highest.set(lease, Math.max(seen, term));
    if (term < seen) this.stale += 1;
    return { call, lease, term, isStale: term < seen };
  }

  #answered(
    node: string,
    asked: Map<bigint, Asked>,
    { id, result }: { id: bigint; result: { case: string | undefined; value?: unknown } },
  ): void {
    const one = asked.get(id);
    asked.delete(id);
    if (one === undefined) return;
    const failed = result.case === 'failure';
    const outcome = failed ? (result.value as { code: string }).code : 'done';
    this.#chronicle.note(`${node} ${one.call} ${loggable(one.lease.slice(5))} term ${one.term}: ${outcome}`);
    if (one.isStale && !failed) this.#chronicle.broke(`${node} obeyed a stale Term: ${one.call}`);
  }
}
