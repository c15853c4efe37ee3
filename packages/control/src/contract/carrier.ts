/** What every Carrier promises. Run by each adapter's test: `carrierContract('memory', () => …)`. */
import type { Carrier, Link } from '../carrier.ts';
import { ClusterError } from '@veilcast/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

export interface CarrierSubject {
  readonly carrier: Carrier;
  /** An address that can be listened on, and where nobody listens yet. */
  address(): string;
  close(): Promise<void>;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

interface Pair {
  readonly near: Link;
  readonly far: Link;
}

/** A near and a far end over the subject's carrier. */
export async function linkPair(subject: CarrierSubject): Promise<Pair & { readonly stop: () => Promise<void> }> {
  const address = subject.address();
  let accepted!: (link: Link) => void;
  const far = new Promise<Link>((resolve) => (accepted = resolve));
  const listening = await subject.carrier.listen(address, accepted);
  const near = await subject.carrier.dial(address);
  // A carrier may tell the listener with the first frame only.
  near.send(bytes(0));
  const link = await far;
  await new Promise<void>((resolve) => link.onFrame(() => resolve()));
  return { near, far: link, stop: () => listening.close() };
}

export function carrierContract(name: string, make: () => Promise<CarrierSubject>): void {
  describe(`carrier contract: ${name}`, () => {
    let subject: CarrierSubject;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(async () => {
      await subject.close();
    });

    test('frames come whole, in order, both ways, whatever their size', async () => {
      const { near, far, stop } = await linkPair(subject);
      const sizes = [1, 0, 5, 70_000, 16_384, 300_000, 2];
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        const got: number[][] = [];
        const all = new Promise<void>((resolve) =>
          to.onFrame((frame) => {
            got.push([frame.byteLength, frame[0] ?? -1, frame.at(-1) ?? -1]);
            if (got.length === sizes.length) resolve();
          }),
        );
        sizes.forEach((size, at) => expect(from.send(new Uint8Array(size).fill(at))).toBe(true));
        await all;
        expect(got).toEqual(sizes.map((size, at) => (size === 0 ? [0, -1, -1] : [size, at, at])));
      }
      await stop();
    });

    test('frames that come before the listener are kept', async () => {
      const { near, far, stop } = await linkPair(subject);
      far.send(bytes(1));
      far.send(bytes(2));
      await new Promise((resolve) => setTimeout(resolve, 20));
      const got: (number | undefined)[] = [];
      await new Promise<void>((resolve) =>
        near.onFrame((frame) => {
          got.push(frame[0]);
          if (got.length === 2) resolve();
        }),
      );
      expect(got).toEqual([1, 2]);
      await stop();
    });

    test('what was sent before close comes, then both ends are told once', async () => {
      const { near, far, stop } = await linkPair(subject);
      const told: string[] = [];
      const closed = Promise.all([
        new Promise<void>((resolve) => near.onClose(() => resolve(void told.push('near')))),
        new Promise<void>((resolve) => far.onClose(() => resolve(void told.push('far')))),
      ]);
      far.onFrame((frame) => told.push(`frame ${frame[0]}`));
      near.send(bytes(7));
      near.close();
      near.close();
      await closed;
      expect(told.toSorted()).toEqual(['far', 'frame 7', 'near']);
      expect(told.indexOf('frame 7')).toBeLessThan(told.indexOf('far'));
      expect(near.send(bytes(1))).toBe(false);
      expect(far.send(bytes(1))).toBe(false);
      await stop();
    });

    test('onClose of a closed link is told all the same', async () => {
      const { near, stop } = await linkPair(subject);
      await new Promise<void>((resolve) => {
        near.onClose(() => resolve());
        near.close();
      });
      await new Promise<void>((resolve) => near.onClose(() => resolve()));
      await stop();
    });

    test('a sender that outruns the link is told, and nothing taken is lost', async () => {
      const { near, far, stop } = await linkPair(subject);
      const chunk = 256 * 1024;
      let taken = 0;
      while (taken < 2_000 && near.send(new Uint8Array(chunk))) taken += 1;
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(2_000);
      let got = 0;
      await new Promise<void>((resolve) =>
        far.onFrame(() => {
          got += 1;
          if (got === taken) resolve();
        }),
      );
      await expect.poll(() => near.send(bytes(1))).toBe(true);
      await stop();
    });

    test('nobody at an address is NODE_UNREACHABLE', async () => {
      await expect(subject.carrier.dial(subject.address())).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
      const address = subject.address();
      const listening = await subject.carrier.listen(address, () => undefined);
      await listening.close();
      await expect(subject.carrier.dial(address)).rejects.toBeInstanceOf(ClusterError);
    });
  });
}
