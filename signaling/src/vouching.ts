/**
 * Bundles that a customer's own Authentication Service signed, and the device brings along with its join (ADR 0043). They are held to what
 * members hold them to, so that nobody is let in whom the others would refuse.
 */
import { CLOCK_SLACK_MS, decodeBundle, isVouchedFor, type Bundle, type BundleClaims } from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { sameBytes } from './bytes.ts';

/** Furthest end of such a bundle. Longer: a device that was lost is believed for longer, unless it is revoked. */
export const BROUGHT_AHEAD_MS = 7 * 24 * 3_600_000;

/** Whose it must be: the token's user, and the device that proved its key. */
export type BundleHolder = Pick<BundleClaims, 'user' | 'device' | 'key'>;

/** Undefined for anything but a bundle of this root for this user, device and key, in time. Never throws. */
export async function vouchedBundle(
  bytes: Uint8Array,
  { user, device, key }: BundleHolder,
  root: Uint8Array,
  now: number,
): Promise<Bundle | undefined> {
  const bundle = decodeBundle(bytes);
  if (bundle === undefined) return undefined;
  const isTheirs = bundle.user === user && sameBytes(bundle.device, device) && sameBytes(bundle.key, key);
  const isInTime =
    bundle.issuedAt <= now + CLOCK_SLACK_MS && bundle.expiresAt > now && bundle.expiresAt <= now + BROUGHT_AHEAD_MS;
  if (!isTheirs || !isInTime) return undefined;
  return (await isVouchedFor(bundle, [root], signatures)) ? bundle : undefined;
}
