/**
 * The size and depth of a stranger's value, measured before any schema looks at it: schemas recurse, and a message of
 * 100,000 brackets would overflow the stack of whoever walks it by recursion.
 */
import {
  ClusterError,
  COMMIT_MAX,
  GROUP_INFO_MAX,
  isRequestName,
  KEY_PACKAGE_MAX,
  MESSAGE_MAX,
  RTP_JSON_MAX,
  SEALED_MAX,
  WELCOME_MAX,
  type RequestName,
} from '@veilcast/protocol';

/** Deepest nesting of a message. RTP parameters nest 5 deep. */
const DEPTH_MAX = 16;
/** Most values in one message. Chromium's capabilities hold about 800, 256 tiles 1,300. */
const VALUES_MAX = 20_000;
/** Whatever is not named below. Higher: a flood costs more to parse. Lower: nothing fits. */
const SMALL = 8_192;

/** Roughly the bytes that a body of this name may have. */
const BODY_MAX: Partial<Record<RequestName, number>> = {
  join: 24_576,
  produce: RTP_JSON_MAX + SMALL,
  consume: RTP_JSON_MAX + 4 * SMALL,
  resumeConsumers: 4 * SMALL,
  closeConsumers: 4 * SMALL,
  requestKeyFrames: 4 * SMALL,
  showTiles: 16 * SMALL,
  groupCommit: COMMIT_MAX + GROUP_INFO_MAX + WELCOME_MAX + 2 * SMALL,
  groupOffer: KEY_PACKAGE_MAX + SMALL,
  groupMessage: SEALED_MAX + SMALL,
};

/** @throws ClusterError MALFORMED when too deep, OVERSIZE when too large for its name */
export function checkShape(name: string, body: unknown): void {
  const limit = isRequestName(name) ? (BODY_MAX[name] ?? SMALL) : MESSAGE_MAX;
  let bytes = 0;
  let values = 0;
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) throw new ClusterError('MALFORMED', 'nested too deeply');
    const next: unknown[] = [];
    for (const value of level) {
      bytes += weigh(value, next);
      if (++values + next.length > VALUES_MAX || bytes > limit) throw new ClusterError('OVERSIZE');
    }
    level = next;
  }
}

/** Bytes of one value without its children, which are added to `children`. */
function weigh(value: unknown, children: unknown[]): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 6;
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return value.byteLength;
  let bytes = 2;
  for (const [key, child] of Object.entries(value)) {
    bytes += key.length + 2;
    children.push(child);
  }
  return bytes;
}
