/** Keys come and go: Epochs, steps, counters, clocks that differ. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseKey, bytesOf, frame, install, keyringOf, MEMBERS, verdict } from './fixture.ts';
import { EpochKeyChain, STEP_MS, STEPS_AHEAD, STEPS_BEHIND } from './epoch.ts';
import { decodeHeader, unpackKeyId } from './header.ts';
import { EPOCHS_MAX, Keyring, OLD_EPOCH_MS, SEAL_DELAY_MS } from './keyring.ts';
import { ReplayWindow } from './replay.ts';
import { splitTrailer } from './trailer.ts';

const opus = { codec: 'opus', keyFrame: false } as const;

async function sealAt(keyring: Keyring, now: number, stream = 0): Promise<Uint8Array> {
  return bytesOf(await keyring.sealer(stream).seal(frame(50), opus, now));
}

function keyIdOf(sealed: Uint8Array): { step: number; epoch: number } {
  return unpackKeyId(Number(splitTrailer(sealed)?.header.kid));
}

describe('without a key', () => {
  it('nothing is sealed and nothing opened, before the first Epoch and after the last', async () => {
    const sealed = await sealAt(await keyringOf(0), 0);
    const keyring = new Keyring();
    const opener = keyring.opener({ peer: 'ada' });
    const bothRefuse = async () => {
      expect(verdict(await keyring.sealer(0).seal(frame(50), opus, 0))).toBe('no-key');
      expect(verdict(await opener.open(sealed, opus, 0))).toBe('unknown-key');
    };
    await bothRefuse();
    await install(keyring, 1, 1, 0);
    expect(verdict(await opener.open(sealed, opus, 0))).toBe('opened');
    keyring.forget();
    expect(keyring.epoch).toBe(-1);
    await bothRefuse();
  });
});

describe('Epochs', () => {
  it('opens the old one for two seconds after the new one came, and not longer', async () => {
    const ada = await keyringOf(0);
    const bob = await keyringOf(1);
    const opener = bob.opener({ peer: 'ada' });
    const frames = await Promise.all([0, 1, 2].map(() => sealAt(ada, 5000)));
    await install(bob, 1, 2, 5000);
    const verdicts = [];
    for (const [i, later] of [0, OLD_EPOCH_MS - 1, OLD_EPOCH_MS].entries()) {
      verdicts.push(verdict(await opener.open(frames[i] ?? frame(0), opus, 5000 + later)));
    }
    expect(verdicts).toEqual(['opened', 'opened', 'passed-key']);
  });

  it('seals with the new one at once, or from when it is told', async () => {
    const ada = await keyringOf(0);
    await install(ada, 0, 2, 1000, 2, 1000 + SEAL_DELAY_MS);
    expect(keyIdOf(await sealAt(ada, 1000 + SEAL_DELAY_MS - 1)).epoch).toBe(1);
    expect(keyIdOf(await sealAt(ada, 1000 + SEAL_DELAY_MS)).epoch).toBe(2);
    await install(ada, 0, 3, 2000);
    expect(keyIdOf(await sealAt(ada, 2000)).epoch).toBe(3);
  });

  it('a first Epoch seals at once whatever it is told, since there is no other', async () => {
    const keyring = new Keyring();
    await install(keyring, 0, 7, 0, 7, 300);
    expect(keyIdOf(await sealAt(keyring, 0)).epoch).toBe(7);
  });

  it('never takes an older Epoch, the same one, or a base key again', async () => {
    const ada = await keyringOf(0, 5);
    expect(await install(ada, 0, 5, 0, 50)).toBe(false);
    expect(await install(ada, 0, 4, 0, 40)).toBe(false);
    expect(await install(ada, 0, 6, 0, 5)).toBe(false);
    ada.forget();
    expect(await install(ada, 0, 5, 0, 5)).toBe(false);
    expect(await install(ada, 0, 5, 0, 51)).toBe(true);
    const twice = await Promise.all([install(ada, 0, 9, 0), install(ada, 0, 9, 0)]);
    expect(twice.filter(Boolean)).toHaveLength(1);
  });

  it('does not take a leaf that the KID cannot name', async () => {
    expect(await install(new Keyring(), 4096, 1, 0)).toBe(false);
    expect(await install(new Keyring(), 4095, 1, 0)).toBe(true);
  });

  it('drops an Epoch whose low bits the new one has', async () => {
    const ada = await keyringOf(0, 1);
    const bob = await keyringOf(1, 1);
    const old = await sealAt(ada, 0);
    expect(await install(bob, 1, 257, 0, 2)).toBe(true);
    expect(verdict(await bob.opener({ peer: 'ada' }).open(old, opus, 0))).toBe('forged');
  });

  it('holds no more than EPOCHS_MAX at once', async () => {
    const bob = await keyringOf(1, 1);
    const early = await sealAt(await keyringOf(0, 1), 0);
    const late = await sealAt(await keyringOf(0, 3), 0);
    for (let epoch = 2; epoch <= EPOCHS_MAX + 1; epoch++) await install(bob, 1, epoch, 0);
    const opener = bob.opener({ peer: 'ada' });
    expect(verdict(await opener.open(early, opus, 0))).toBe('passed-key');
    expect(verdict(await opener.open(late, opus, 0))).toBe('opened');
  });
});

describe('steps', () => {
  it('opens what is a few steps behind or ahead of what was heard, and no more', async () => {
    const ada = await keyringOf(0);
    const at = new Map<number, Uint8Array>();
    for (let step = 0; step <= 40; step++) at.set(step, await sealAt(ada, step * STEP_MS));
    for (let step = 0; step <= 40; step++) {
      const bob = await keyringOf(1);
      const opener = bob.opener({ peer: 'ada' });
      const now = 20 * STEP_MS;
      expect(verdict(await opener.open(at.get(20) ?? frame(0), opus, now))).toBe('opened');
      await bob.tick(now);
      const inside = step >= 20 - STEPS_BEHIND && step <= 20 + STEPS_AHEAD;
      const expected = step === 20 ? 'replay' : inside ? 'opened' : 'unknown-key';
      expect(verdict(await opener.open(at.get(step) ?? frame(0), opus, now))).toBe(expected);
    }
  });

  it('opens everything however late the Commit reached one of the two, up to a minute', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(60_000),
        fc.nat(60_000),
        fc.array(fc.nat(2500), { maxLength: 30 }),
        async (a, b, pauses) => {
          const ada = await keyringOf(0, 1, a);
          const bob = await keyringOf(1, 1, b);
          const opener = bob.opener({ peer: 'ada' });
          let now = Math.max(a, b);
          for (const pause of pauses) {
            now += pause;
            const sealed = await sealAt(ada, now);
            expect(verdict(await opener.open(sealed, opus, now + 80))).toBe('opened');
            await bob.tick(now + 80);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('follows the fastest clock when it seals, so that two who hear each other agree', async () => {
    const ada = await keyringOf(0, 1, 0);
    const bob = await keyringOf(1, 1, 30_000);
    await bob.opener({ peer: 'ada' }).open(await sealAt(ada, 30_000), opus, 30_000);
    expect(keyIdOf(await sealAt(bob, 30_000)).step).toBe(30);
  });

  it('wraps after 256 steps', async () => {
    const ada = await keyringOf(0);
    const bob = await keyringOf(1);
    const opener = bob.opener({ peer: 'ada' });
    for (let now = 0; now <= 300_000; now += 25_000) {
      const sealed = await sealAt(ada, now);
      expect(keyIdOf(sealed).step).toBe((now / STEP_MS) & 255);
      expect(verdict(await opener.open(sealed, opus, now))).toBe('opened');
    }
  });

  it('cannot open what is older than the window, even asked for the very same moment again', async () => {
    const ada = await keyringOf(0);
    const bob = await keyringOf(1);
    const opener = bob.opener({ peer: 'ada' });
    const [first, second] = [await sealAt(ada, 0), await sealAt(ada, 0)];
    expect(verdict(await opener.open(first, opus, 0))).toBe('opened');
    await bob.tick(10_000);
    expect(verdict(await opener.open(second, opus, 0))).toBe('unknown-key');
  });

  it('goes on when a clock is set back by an hour', async () => {
    const ada = await keyringOf(0, 1, 10_000_000);
    const bob = await keyringOf(1, 1, 0);
    const opener = bob.opener({ peer: 'ada' });
    let skew = 0;
    for (let passed = 0; passed < 60_000; passed += 700) {
      if (passed === 21_000) skew = -3_600_000;
      const sealed = await sealAt(ada, 10_000_000 + passed + skew, passed > 30_000 ? 1 : 0);
      expect(verdict(await opener.open(sealed, opus, passed + skew / 2))).toBe('opened');
      await ada.tick(10_000_000 + passed + skew);
    }
  });

  it('holds no key of a step that has passed', async () => {
    const chain = await EpochKeyChain.create({ epoch: 1, baseKey: baseKey(1), selfLeaf: 0, members: MEMBERS }, 0);
    for (let step = 0; step < 300; step++) {
      chain.heard(step, step * STEP_MS);
      await chain.frameKey(step, 0, 1);
      await chain.advance(step * STEP_MS);
      expect(chain.keysHeld).toBeLessThanOrEqual(2 * (STEPS_BEHIND + 1));
    }
    expect(await chain.frameKey(295, 0, 1)).toBeUndefined();
    chain.forget();
    expect(chain.keysHeld).toBe(0);
    expect(await chain.frameKey(299, 0, 1)).toBeUndefined();
  });

  it('is not moved by a frame that does not open', async () => {
    const bob = await keyringOf(1);
    const opener = bob.opener({ peer: 'ada' });
    const stranger = await keyringOf(0, 1, 0, 99);
    expect(verdict(await opener.open(await sealAt(stranger, 40_000), opus, 0))).toBe('forged');
    expect(verdict(await opener.open(await sealAt(await keyringOf(0), 0), opus, 0))).toBe('opened');
    expect(keyIdOf(await sealAt(bob, 0)).step).toBe(0);
  });
});

describe('counters', () => {
  it('never uses one twice under a key, whatever the clock does and however many are under way', async () => {
    const moves = fc.array(
      fc.record({ later: fc.integer({ min: -3000, max: 3000 }), stream: fc.nat(2), epoch: fc.boolean() }),
      {
        maxLength: 40,
      },
    );
    await fc.assert(
      fc.asyncProperty(moves, async (steps) => {
        const ada = await keyringOf(0);
        let now = 10_000;
        let epoch = 1;
        const sealing = [];
        for (const { later, stream, epoch: next } of steps) {
          now += later;
          if (next) await install(ada, 0, ++epoch, now);
          for (let n = 0; n < 3; n++) sealing.push(ada.sealer(stream).seal(frame(4), opus, now));
        }
        const sealed = (await Promise.all(sealing)).filter((outcome) => outcome.kind === 'sealed');
        const used = sealed.map(({ bytes }) => Buffer.from(splitTrailer(bytes)?.headerBytes ?? []).toString('hex'));
        expect(new Set(used).size).toBe(used.length);
      }),
      { numRuns: 60 },
    );
  });

  it('does not return to an old Epoch with the clock', async () => {
    const ada = await keyringOf(0, 1, 0);
    await install(ada, 0, 2, 1000, 2, 1300);
    expect(keyIdOf(await sealAt(ada, 1300)).epoch).toBe(2);
    expect(keyIdOf(await sealAt(ada, 1299)).epoch).toBe(2);
  });

  it('starts again with every step, so that headers stay short', async () => {
    const ada = await keyringOf(0);
    await sealAt(ada, 0);
    const sealed = await sealAt(ada, 1000);
    expect(decodeHeader(splitTrailer(sealed)?.headerBytes ?? frame(0))?.ctr).toBe(0n);
  });
});

describe('replay window', () => {
  it('takes each counter once in any order, and none that is 64 or more behind', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 300 }), (counters) => {
        const window = new ReplayWindow();
        const taken = new Set<number>();
        let highest = -1;
        for (const ctr of counters) {
          const fresh = !taken.has(ctr) && (ctr > highest || highest - ctr < 64);
          expect(window.has(BigInt(ctr))).toBe(!fresh);
          if (!fresh) continue;
          window.add(BigInt(ctr));
          taken.add(ctr);
          highest = Math.max(highest, ctr);
        }
      }),
    );
  });

  it('opens frames that are skipped, late and of changing layers, each once', async () => {
    const ada = await keyringOf(0);
    const bob = await keyringOf(1);
    const opener = bob.opener({ peer: 'ada' });
    const sealed = [];
    for (let i = 0; i < 300; i++) sealed.push(await sealAt(ada, 0, i % 3));
    // A server that shows one layer, then another, drops some and lets neighbours change places.
    const shown = sealed.filter((_, i) => i % 3 === Math.floor(i / 60) % 3 && i % 7 !== 0);
    for (let i = 0; i + 1 < shown.length; i += 2)
      [shown[i], shown[i + 1]] = [shown[i + 1] ?? frame(0), shown[i] ?? frame(0)];
    for (const bytes of shown) expect(verdict(await opener.open(bytes, opus, 0))).toBe('opened');
    for (const bytes of shown) expect(verdict(await opener.open(bytes, opus, 0))).toBe('replay');
  });

  it('is kept per receiver: the same frame opens on two of them', async () => {
    const sealed = await sealAt(await keyringOf(0), 0);
    const bob = await keyringOf(1);
    for (const opener of [bob.opener({ peer: 'ada' }), bob.opener({ peer: 'ada' })]) {
      expect(verdict(await opener.open(sealed, opus, 0))).toBe('opened');
    }
  });
});

describe('install', () => {
  it('lets the caller wipe the base key and change the members afterwards', async () => {
    const key = baseKey(3);
    const members = new Map(MEMBERS);
    const bob = new Keyring();
    await bob.install({ epoch: 3, baseKey: key, selfLeaf: 1, members }, 0);
    key.fill(0);
    members.clear();
    const sealed = await sealAt(await keyringOf(0, 3), 0);
    expect(verdict(await bob.opener({ peer: 'ada' }).open(sealed, opus, 0))).toBe('opened');
  });
});
