/** The far end of the network carrier, in a process of its own: answers every request at once. */
import { issueCertificate, type KeyPair } from '@veilcast/ca';
import { acceptChannels, resultOf, type Identity, type Serve } from '@veilcast/control';
import { fixedCredentials, http2Carrier } from '@veilcast/control/http2';
import { systemClock, systemRandom } from '@veilcast/node-kit';
import { createServer, type AddressInfo } from 'node:net';
import { answer } from './child.ts';

const FAR = { cluster: 'bench', kind: 'cascade-router', region: 'eu', processId: 'far' } as Identity;
export const FAR_SAYS = { kind: FAR.kind, processId: FAR.processId, incarnation: 'one' };

/** A busy machine must not end what is measured. */
export const PATIENT = { suspectMs: 30_000 };

/** As a placement is answered, without the work. */
export const serve: Serve = async () => resultOf('placed', { nodeId: 'eu-1', workerId: 'eu-1/0', region: 'eu' });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const answers = {
  start: async ({ authority }: { authority: KeyPair }) => {
    const pair = await issueCertificate(authority, { identity: FAR, days: 1, now: Date.now() });
    const credentials = fixedCredentials({ ...pair, ca: authority.cert });
    const carrier = http2Carrier({ credentials, clock: systemClock, random: systemRandom });
    const address = `127.0.0.1:${await freePort()}`;
    await acceptChannels({ carrier, address, hello: FAR_SAYS, serve, clock: systemClock, limits: PATIENT });
    return { address };
  },
};
export type CarrierFar = typeof answers;

if (import.meta.main) answer(answers);
