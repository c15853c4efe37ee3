/** The servers' manifest: fetched beside the opening of the socket, believed only if the pinned root signed it (ADR 0013). */
import { MANIFEST_MAX, openManifest, pinOf, rootOf, type Manifest } from '@veilcast/e2ee/channel';
import { signatures } from '@veilcast/e2ee/pq';
import { ClusterError } from '@veilcast/protocol';

/** As for the authority's key: a browser may ask over a connection that is dead. */
const TIMEOUT_MS = 3_000;

/** Without a pin of the application's the first root that a site shows is the only one for as long as the page lives. */
const firstPins = new Map<string, Uint8Array>();
const kept = new Map<string, Manifest>();

/**
 * @param pin SHA-256 of the root, hexadecimal digits
 * @param now ms since the Unix epoch
 * @param like the url whose root it must be, where no pin is given
 * @throws ClusterError MANIFEST_INVALID, OVERSIZE, DISCONNECTED
 */
export async function manifestOf(url: string, pin: string | undefined, now: number, like = url): Promise<Manifest> {
  const { origin } = new URL(url);
  const first = new URL(like).origin;
  const key = `${origin} ${pin ?? ''}`;
  const known = kept.get(key);
  if (known && now < known.expiry * 1_000) return known;
  const document = await fetchDocument(origin);
  const pinned = pin === undefined ? (firstPins.get(first) ?? pinOf(rootOf(document))) : fromHex(pin);
  const manifest = await openManifest(document, pinned, now, signatures);
  if (pin === undefined) firstPins.set(first, pinned);
  kept.set(key, manifest);
  return manifest;
}

/** The server did not know it: the next one asks anew. */
export function forgetManifests(): void {
  kept.clear();
}

async function fetchDocument(origin: string): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(new URL('/api/manifest', origin), { signal });
    const length = Number(response.headers.get('content-length') ?? 0);
    if (!response.ok || length > MANIFEST_MAX) throw new RangeError(`status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new ClusterError('DISCONNECTED', 'the manifest cannot be had', { cause });
  }
}

/** @throws ClusterError MANIFEST_INVALID */
function fromHex(pin: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/i.test(pin)) throw new ClusterError('MANIFEST_INVALID', 'the pin is not 64 hexadecimal digits');
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(pin.slice(2 * i, 2 * i + 2), 16));
}
