/** Delays between a device and the nearest Region, and how slow devices are: as the scenario assumes. Drawn one by one, or in even steps. */
import type { Random } from '@veilcast/protocol';
import type { Scenario } from './scenario.ts';

type Access = Scenario['access'];

/** Of the standard normal distribution's quantile, near either end. */
function normalTail(q: number): number {
  return (
    (((((-7.784894002430293e-3 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) * q +
      4.374664141464968) *
      q +
      2.938163982698783) /
    ((((7.784695709041462e-3 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1)
  );
}

/** The standard normal distribution's quantile (Acklam's rational approximation, 1.15e-9 relative error). */
function normalQuantile(p: number): number {
  const [low, high] = [0.02425, 1 - 0.02425];
  if (p < low) return normalTail(Math.sqrt(-2 * Math.log(p)));
  if (p > high) return -normalTail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  return (
    ((((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
      30.66479806614716) *
      r +
      2.506628277459239) *
      q) /
    (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
      13.28068155288572) *
      r +
      1)
  );
}

function logNormal({ medianMs, sigma }: Access[number], p: number): number {
  return medianMs * Math.exp(sigma * normalQuantile(p));
}

function pick<T extends { readonly share: number }>(from: readonly T[], at: number): T {
  const all = from.reduce((sum, { share }) => sum + share, 0);
  let rest = at * all;
  for (const one of from) if ((rest -= one.share) < 0) return one;
  return from.at(-1) as T;
}

/** One-way delay of somebody, ms. */
export function drawAccess(access: Access, random: Random): number {
  return logNormal(pick(access, random.float()), Math.min(1 - 1e-9, Math.max(1e-9, random.float())));
}

/** How much slower than the measured machine somebody's device is. */
export function drawDevice(devices: Scenario['devices'], random: Random): number {
  return pick(devices, random.float()).factor;
}

/** One way, ms, of those who relay keys: the better half of all, since the server suggests who stays and is near. */
export function drawDelegate(access: Access, random: Random): number {
  return Math.min(drawAccess(access, random), drawAccess(access, random));
}

/** The same distribution in steps, with the share of each: what stands for a whole cohort. */
export function accessSteps(access: Access, steps = 24): readonly { readonly ms: number; readonly share: number }[] {
  const all = access.reduce((sum, { share }) => sum + share, 0);
  return access.flatMap((network) => {
    const count = Math.max(4, Math.round((steps * 4 * network.share) / all));
    return Array.from({ length: count }, (_, n) => ({
      ms: logNormal(network, (n + 0.5) / count),
      share: network.share / all / count,
    }));
  });
}
