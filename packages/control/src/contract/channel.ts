/** What every Channel promises, over any Carrier: `channelContract('memory', () => …)`. */
import { ClusterError, type Clock } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Link } from '../carrier.ts';
import type { Channel, EventKind, Serve } from '../channel.ts';
import { decodeFrame, encodeFrame, eventOf, jsonOf, resultOf, type FrameKind } from '../frames.ts';
import { CONTROL_VERSION, type ChannelLimits } from '../limits.ts';
import { openChannel, type Speaker } from '../open-channel.ts';
import { linkPair, type CarrierSubject } from './carrier.ts';

/** Real timers: the contract is about what the other process sees. */
const clock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};

const nearSays: Speaker = { kind: 'signaling', processId: 'sig-1', incarnation: 'one', region: 'eu' };
const farSays: Speaker = { kind: 'sfu-node', processId: 'node-1', incarnation: 'two', region: 'us' };
const never: Serve = () => new Promise(() => undefined);
const done: Serve = async () => undefined;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function channelContract(name: string, make: () => Promise<CarrierSubject>): void {
  describe(`channel contract: ${name}`, () => {
    let subject: CarrierSubject;
    const ends: (() => void | Promise<void>)[] = [];
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(async () => {
      for (const end of ends.splice(0)) await end();
      await subject.close();
    });

    interface Pair {
      near: Channel;
      far: Channel;
      reports: unknown[];
    }
    const open = async (serve: Serve, limits: Partial<ChannelLimits> = {}): Promise<Pair> => {
      const links = await linkPair(subject);
      const reports: unknown[] = [];
      const report = (error: unknown): void => void reports.push(error);
      const [near, far] = await Promise.all([
        openChannel({ link: links.near, hello: nearSays, serve: done, clock, limits, report }),
        openChannel({ link: links.far, hello: farSays, serve, clock, limits, report }),
      ]);
      ends.push(
        () => near.close(),
        () => far.close(),
        () => links.stop(),
      );
      return { near, far, reports };
    };
    /** A far end that speaks frames and not the protocol. */
    const openRaw = async (limits: Partial<ChannelLimits> = {}, serve: Serve = done) => {
      const links = await linkPair(subject);
      const frames: FrameKind[] = [];
      links.far.onFrame((bytes) => {
        const frame = decodeFrame(bytes);
        if (frame !== undefined) frames.push(frame);
      });
      const opening = openChannel({ link: links.near, hello: nearSays, serve, clock, limits });
      ends.push(
        () => links.near.close(),
        () => links.stop(),
      );
      const say = (frame: FrameKind): boolean => links.far.send(encodeFrame(frame));
      return { far: links.far, frames, opening, say, hello: () => say(helloOf(CONTROL_VERSION)) };
    };

    test('each end learns who the other is', async () => {
      const { near, far } = await open(done);
      expect(near.remote).toEqual(farSays);
      expect(far.remote).toEqual(nearSays);
    });

    test('another version is refused, and the link closed', async () => {
      const { opening, say, far } = await openRaw();
      const closed = closing(far);
      say(helloOf(CONTROL_VERSION + 1));
      await expect(opening).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await closed;
    });

    test('something else than Hello first is refused', async () => {
      const { opening, say } = await openRaw();
      say({ case: 'ping', value: { at: 1n } as never });
      await expect(opening).rejects.toMatchObject({ code: 'MALFORMED' });
    });

    test('no Hello in time is DEADLINE', async () => {
      const { opening } = await openRaw({ helloMs: 30 });
      await expect(opening).rejects.toMatchObject({ code: 'DEADLINE' });
    });

    test('a request carries its body and authority, and its answer comes back', async () => {
      const { near } = await open(async ({ call, authority }) => {
        if (call.case !== 'openPeer') throw new ClusterError('UNSUPPORTED');
        return resultOf('openedPeer', {
          routerRtpCapabilities: jsonOf({ ...authority, peer: call.value.peerId, worker: call.value.workerId }),
        });
      });
      const authority = { roomId: 'demo', term: 2 ** 40 };
      const opened = await near.request('openPeer', { peerId: 'p', workerId: 'n/0' }, { authority });
      expect(JSON.parse(opened.routerRtpCapabilities?.text ?? '')).toEqual({ ...authority, peer: 'p', worker: 'n/0' });
    });

    test('answers find their requests in whatever order they are given', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat({ max: 8 }), { minLength: 1, maxLength: 30 }), async (delays) => {
          const { near } = await open(async ({ call }) => {
            if (call.case !== 'place') return undefined;
            const at = Number(call.value.peerId);
            await pause(delays[at] ?? 0);
            return resultOf('placed', { nodeId: call.value.peerId });
          });
          const placed = await Promise.all(delays.map((_, at) => near.request('place', { peerId: String(at) })));
          expect(placed.map((one) => one.nodeId)).toEqual(delays.map((_, at) => String(at)));
          near.close();
        }),
        { numRuns: 8 },
      );
    });

    test('a refusal keeps its code, detail and retryMs; a bug is INTERNAL and keeps its words to itself', async () => {
      const { near, reports } = await open(async ({ call }) => {
        if (call.case === 'closePeer') throw new ClusterError('STALE_TERM', 'newer is 7', { retryMs: 12 });
        throw new Error('a secret');
      });
      await expect(near.request('closePeer', { peerId: 'p' })).rejects.toMatchObject({
        code: 'STALE_TERM',
        message: 'newer is 7',
        retryMs: 12,
      });
      const bug: unknown = await near.request('closeRoom', {}).catch((error: unknown) => error);
      expect(bug).toMatchObject({ code: 'INTERNAL' });
      expect(String(bug)).not.toContain('secret');
      expect(reports).toHaveLength(1);
    });

    test('a wrong kind of answer is INTERNAL', async () => {
      const { near } = await open(async () => resultOf('placed', {}));
      await expect(near.request('openPeer', {})).rejects.toMatchObject({ code: 'INTERNAL' });
      await expect(near.request('closeRoom', {})).rejects.toMatchObject({ code: 'INTERNAL' });
    });

    test('a deadline ends the request here and aborts it there', async () => {
      let aborted: unknown;
      const { near } = await open(async ({ signal }) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        aborted = signal.reason;
        return undefined;
      });
      const began = Date.now();
      await expect(near.request('closeRoom', {}, { deadlineMs: 40 })).rejects.toMatchObject({ code: 'DEADLINE' });
      expect(Date.now() - began).toBeGreaterThanOrEqual(35);
      await expect.poll(() => aborted).toBeInstanceOf(ClusterError);
    });

    test("the caller's abort ends the request and cancels it there", async () => {
      let aborted = false;
      const { near } = await open(async ({ signal }) => {
        signal.addEventListener('abort', () => (aborted = true));
        return never({} as never, {} as never);
      });
      const abort = new AbortController();
      const asked = near.request('closeRoom', {}, { signal: abort.signal });
      await pause(20);
      abort.abort();
      await expect(asked).rejects.toMatchObject({ code: 'CLOSED' });
      await expect.poll(() => aborted).toBe(true);
      await expect(near.request('closeRoom', {}, { signal: abort.signal })).rejects.toMatchObject({ code: 'CLOSED' });
    });

    test('more requests than the bound are OVERLOADED at once, here and there', async () => {
      const here = await open(never, { inFlight: 3 });
      const held = [1, 2, 3].map(() => here.near.request('closeRoom', {}).catch((error: unknown) => error));
      await expect(here.near.request('closeRoom', {})).rejects.toMatchObject({ code: 'OVERLOADED' });
      here.near.close();
      for (const one of await Promise.all(held)) expect(one).toMatchObject({ code: 'CHANNEL_CLOSED' });

      const there = await open(never, { serving: 2 });
      const waiting = [1, 2].map(() => there.near.request('closeRoom', {}).catch((error: unknown) => error));
      await expect(there.near.request('closeRoom', {})).rejects.toMatchObject({ code: 'OVERLOADED' });
      there.near.close();
      await Promise.all(waiting);
    });

    test('a message too large is OVERSIZE for its sender and harms nobody', async () => {
      const { near, far } = await open(async () => resultOf('gotPicture', { picture: jsonOf('x'.repeat(5000)) }), {
        frameBytes: 4000,
      });
      await expect(near.request('closePeer', { peerId: 'x'.repeat(5000) })).rejects.toMatchObject({ code: 'OVERSIZE' });
      await expect(near.request('getPicture', {})).rejects.toMatchObject({ code: 'OVERSIZE' });
      expect(near.closed || far.closed).toBe(false);
    });

    test('events come in order, also those from before the first listener', async () => {
      const { near, far } = await open(done);
      const got: string[] = [];
      for (let at = 0; at < 200; at += 1) far.emit(eventOf('peerGone', { peerId: String(at) }));
      await pause(10);
      const stop = near.onEvent((event) => got.push(peerOf(event)));
      for (let at = 200; at < 400; at += 1) far.emit(eventOf('peerGone', { peerId: String(at) }));
      await expect.poll(() => got.length).toBe(400);
      expect(got).toEqual(Array.from({ length: 400 }, (_, at) => String(at)));
      stop();
    });

    test('a listener that throws breaks neither the channel nor the other listeners', async () => {
      const { near, far, reports } = await open(done);
      const got: string[] = [];
      near.onEvent(() => {
        throw new Error('a bug');
      });
      near.onEvent((event) => got.push(peerOf(event)));
      near.onClose(() => {
        throw new Error('another bug');
      });
      far.emit(eventOf('peerGone', { peerId: 'a' }));
      far.emit(eventOf('peerGone', { peerId: 'b' }));
      await expect.poll(() => got).toEqual(['a', 'b']);
      await near.request('closeRoom', {});
      near.close();
      expect(reports).toHaveLength(3);
    });

    test('close fails all that waits, aborts what is served, tells both ends once', async () => {
      const aborted: boolean[] = [];
      const { near, far } = await open(async ({ signal }) => {
        signal.addEventListener('abort', () => aborted.push(true));
        return never({} as never, {} as never);
      });
      const told: string[] = [];
      near.onClose(() => told.push('near'));
      far.onClose(() => told.push('far'));
      const asked = [near.request('closeRoom', {}), near.request('place', {})].map((one) =>
        one.catch((error: unknown) => error),
      );
      await pause(20);
      far.close();
      far.close();
      for (const one of await Promise.all(asked)) expect(one).toMatchObject({ code: 'CHANNEL_CLOSED' });
      await expect.poll(() => told.toSorted()).toEqual(['far', 'near']);
      expect(aborted).toEqual([true, true]);
      expect(near.closed && far.closed).toBe(true);
      await expect(near.request('closeRoom', {})).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
      expect(() => near.emit(eventOf('peerGone', {}))).toThrow(ClusterError);
      await new Promise<void>((resolve) => near.onClose(() => resolve()));
    });

    test('a remote that falls silent is left; one that answers pings is not', async () => {
      const limits = { pingMs: 10, suspectMs: 100 };
      const { near } = await open(done, limits);
      await pause(300);
      expect(near.closed).toBe(false);
      const silent = await openRaw(limits);
      silent.hello();
      const channel = await silent.opening;
      await expect.poll(() => channel.closed, { timeout: 2000 }).toBe(true);
    });

    test('an unknown call is UNSUPPORTED, an unknown event is no harm', async () => {
      const { opening, hello, far, frames } = await openRaw();
      hello();
      const channel = await opening;
      // Frame{request{id: 1}} and Frame{event{}} with members of a newer version.
      far.send(Uint8Array.from([0x12, 2, 0x08, 1]));
      far.send(Uint8Array.from([0x22, 4, 0xfa, 0x3f, 1, 0]));
      await expect.poll(() => frames.find((frame) => frame.case === 'response')).toBeDefined();
      const answer = frames.find((frame) => frame.case === 'response');
      expect(answer?.value).toMatchObject({ id: 1n, result: { case: 'failure', value: { code: 'UNSUPPORTED' } } });
      expect(channel.closed).toBe(false);
    });

    test.each([
      ['bytes that are no Frame', Uint8Array.from([0xff, 0xff, 0xff])],
      ['a Frame of no known kind', Uint8Array.from([0xfa, 0x3f, 1, 0])],
      ['a second Hello', encodeFrame(helloOf(CONTROL_VERSION))],
      ['request id 0', Uint8Array.from([0x12, 0])],
      ['a Frame above the limit', new Uint8Array(2001)],
    ])('%s closes the link', async (_, bytes) => {
      const { opening, hello, far } = await openRaw({ frameBytes: 2000 });
      const closed = closing(far);
      hello();
      const channel = await opening;
      far.send(bytes);
      await closed;
      expect(channel.closed).toBe(true);
    });

    test('random bytes never throw out of the link', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), async (garbage) => {
          const { opening, hello, far } = await openRaw();
          hello();
          const channel = await opening;
          for (const bytes of garbage) far.send(bytes);
          channel.close();
        }),
        { numRuns: 30 },
      );
    });
  });
}

function helloOf(version: number): FrameKind {
  return { case: 'hello', value: { ...farSays, version } as never };
}

function peerOf(event: EventKind): string {
  return event.case === 'peerGone' ? event.value.peerId : '?';
}

function closing(link: Link): Promise<void> {
  return new Promise((resolve) => link.onClose(() => resolve()));
}
