import { ClusterError, ERRORS, type AnyEvent, type Queued } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SignalingSocket } from './socket.ts';
import type { Wire } from './wire.ts';

/** A Wire whose other end is the test. */
class FakeWire implements Wire {
  readonly sent: { id: number; name: string; body: unknown }[] = [];
  closed = false;
  answer: unknown = { ok: true, result: {} };
  open = true;
  record: (record: unknown, shared?: boolean) => void = () => undefined;
  lost: (error: ClusterError) => void = () => undefined;

  place: Queued | undefined;

  send(request: unknown, _timeoutMs: number, queued?: (queued: Queued) => void): Promise<unknown> {
    this.sent.push(request as FakeWire['sent'][number]);
    if (this.place) queued?.(this.place);
    return Promise.resolve(this.answer);
  }
  onRecord(listener: (record: unknown, shared: boolean) => void): void {
    this.record = (record, shared = false) => listener(record, shared);
  }
  onLost(listener: (error: ClusterError) => void): void {
    this.lost = listener;
  }
  close(): void {
    this.closed = true;
  }
}

function open() {
  const wire = new FakeWire();
  const events: AnyEvent[] = [];
  const losses: ClusterError[] = [];
  const socket = new SignalingSocket(wire, {
    event: (event) => events.push(event),
    lost: (error) => losses.push(error),
  });
  return { wire, socket, events, losses };
}

const locked = (seq: number) => ({ seq, name: 'roomLocked', body: { locked: true } });

describe('SignalingSocket', () => {
  it('numbers requests 1, 2, 3 … whatever becomes of them', async () => {
    const { wire, socket } = open();
    await socket.request('leave', {});
    wire.answer = { ok: false, error: { code: 'FORBIDDEN' } };
    await expect(socket.request('setLocked', { locked: true })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    wire.answer = 'nonsense';
    await expect(socket.request('leave', {})).rejects.toMatchObject({ code: 'MALFORMED' });
    expect(wire.sent.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('hands on the place in line of the request that waits, and of no other', async () => {
    const { wire, socket } = open();
    wire.place = { place: 7, waitMs: 70 };
    const heard: Queued[] = [];
    await socket.request('leave', {}, (queued) => void heard.push(queued));
    await socket.request('leave', {});
    expect(heard).toEqual([wire.place]);
  });

  it('gives out no result that does not fit the schema of its request', async () => {
    const { wire, socket } = open();
    wire.answer = { ok: true, result: { producerId: 'p 1; drop' } };
    const body = { kind: 'audio', source: 'microphone', rtpParameters: {}, paused: false } as const;
    await expect(socket.request('produce', body)).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  it('carries every error code with its retry', async () => {
    const { wire, socket } = open();
    for (const code of Object.keys(ERRORS) as (keyof typeof ERRORS)[]) {
      wire.answer = { ok: false, error: { code, retryMs: 5 } };
      const error = await socket.request('leave', {}).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, retry: ERRORS[code].retry, retryMs: 5 });
    }
  });

  it('tells events exactly as long as their numbers have no gap, and is lost once at the first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 }), (seqs) => {
        const { wire, events, losses } = open();
        let expected = 0;
        while (expected < seqs.length && seqs[expected] === expected + 1) expected += 1;
        for (const seq of seqs) wire.record(locked(seq));
        expect(events).toHaveLength(expected);
        expect(losses).toHaveLength(expected === seqs.length ? 0 : 1);
        expect(wire.closed).toBe(expected !== seqs.length);
      }),
    );
  });

  it.each([
    ['no envelope', 7],
    ['an unknown event', { seq: 1, name: 'surprise', body: {} }],
    ['a body of another shape', { seq: 1, name: 'roomLocked', body: { locked: 'yes' } }],
    ['a field too many', { seq: 1, name: 'roomLocked', body: { locked: true }, key: 'x' }],
  ])('is lost by %s', (_, record) => {
    const { wire, events, losses } = open();
    wire.record(record);
    expect(events).toEqual([]);
    expect(losses).toHaveLength(1);
  });

  it('counts what was said to many as its own next event', () => {
    const { wire, events, losses } = open();
    wire.record(locked(1));
    wire.record({ name: 'roomLocked', body: { locked: false } }, true);
    wire.record(locked(3));
    expect(events).toHaveLength(3);
    // One that came to others only would be missed here.
    wire.record(locked(3));
    expect(losses).toHaveLength(1);
  });

  it.each([
    ['a number', { ...locked(1), seq: 1 }],
    ['no name', { body: {} }],
  ])('is lost by what was said to many with %s', (_, record) => {
    const { wire, losses } = open();
    wire.record(record, true);
    expect(losses).toHaveLength(1);
  });

  it('says nothing of a loss after close', async () => {
    const { wire, socket, losses } = open();
    socket.close();
    wire.lost(new ClusterError('DISCONNECTED'));
    wire.record(locked(9));
    expect(losses).toEqual([]);
    await expect(socket.request('leave', {})).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
