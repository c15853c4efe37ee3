/** An authority and processes with certificates of it, for tests: who can reach whom over the network carrier. */
import { issueCertificate, makeAuthority, type KeyPair, type Wanted } from '@veilcast/ca';
import { type Identity } from '@veilcast/control';
import {
  fixedCredentials,
  http2Carrier,
  type Credentials,
  type Http2Carrier,
  type Http2CarrierOptions,
} from '@veilcast/control/http2';
import type { Clock } from '@veilcast/protocol';
import { seededRandom } from '@veilcast/testkit';
import { createServer, type AddressInfo } from 'node:net';

/** What a carrier waits for is the other process, so time is real here. */
export const clock: Clock = {
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

export const CLUSTER = 'test';
export const NEAR = identity('signaling', 'eu', 'sig-1');
export const FAR = identity('sfu-node', 'us', 'node-1');

export function identity(kind: Identity['kind'], region: string, processId: string): Identity {
  return { cluster: CLUSTER, kind, region: region as Identity['region'], processId };
}

export function authority(now = Date.now()): Promise<KeyPair> {
  return makeAuthority({ cluster: CLUSTER, days: 30, now });
}

/** One for the whole file: keys take a while. */
const ours = authority();

export async function credentials(
  identity: Identity,
  wanted: Partial<Wanted> & { by?: KeyPair } = {},
): Promise<Credentials> {
  const by = wanted.by ?? (await ours);
  const { cert, key } = await issueCertificate(by, { identity, days: 7, now: Date.now(), ...wanted });
  return { cert, key, ca: (await ours).cert };
}

export async function carrierOf(
  identity: Identity,
  options: Partial<Http2CarrierOptions> & { with?: Partial<Credentials> } = {},
): Promise<Http2Carrier> {
  const source = options.credentials ?? fixedCredentials({ ...(await credentials(identity)), ...options.with });
  return http2Carrier({ clock, random: seededRandom(1), ...options, credentials: source });
}

/** A port of this machine where nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function freeAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}
