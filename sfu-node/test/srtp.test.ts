import { jsonOf } from '@veilcast/control';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cluster, type Cluster, type Commander } from './cluster.ts';
import { certificate, dtlsClient } from './dtls.ts';

const SHA1_80 = 'SRTP_AES128_CM_SHA1_80';
const GCM_128 = 'SRTP_AEAD_AES_128_GCM';
const GCM_256 = 'SRTP_AEAD_AES_256_GCM';

let all: Cluster;
let signaling: Commander;
let keys: ReturnType<typeof certificate>;

beforeAll(async () => {
  keys = certificate();
  all = cluster();
  await all.node('eu-1');
  signaling = await all.process('signaling', 'eu-1');
});

afterAll(async () => {
  await all.close();
  keys.remove();
});

/** What a client that offers these suites in this order is given; the client is the DTLS client, as in a browser. */
async function chosen(peerId: string, offered: readonly string[]): Promise<string | undefined> {
  const { send } = await signaling.call('openPeer', { peerId, workerId: 'eu-1/0' });
  const dtlsParameters = jsonOf({ role: 'client', fingerprints: [keys.fingerprint] });
  await signaling.call('connectTransport', { peerId, transportId: send!.id, dtlsParameters });
  const transport = {
    iceParameters: JSON.parse(send!.iceParameters!.text),
    iceCandidates: JSON.parse(send!.iceCandidates!.text),
  };
  const client = await dtlsClient(transport, keys, offered);
  const profile = await client.profile();
  await client.leave();
  await signaling.call('closePeer', { peerId });
  return profile;
}

describe('the SRTP suite of a client', () => {
  test.each([
    ['GCM before SHA-1, though the client prefers SHA-1', [SHA1_80, GCM_128], GCM_128],
    ['AES-256-GCM where the client has both, whatever it prefers', [SHA1_80, GCM_128, GCM_256], GCM_256],
    ['SHA-1 only where there is nothing else', [SHA1_80], SHA1_80],
  ])('%s', async (name, offered, wanted) => {
    expect(await chosen(`peer_${name.length}`, offered)).toBe(wanted);
  });

  test('is reached over one UDP and one TCP port a Worker', async () => {
    const ports = new Set<string>();
    for (const peerId of ['peer_a', 'peer_b']) {
      const { send, recv } = await signaling.call('openPeer', { peerId, workerId: 'eu-1/0' });
      for (const end of [send!, recv!])
        for (const { protocol, port } of JSON.parse(end.iceCandidates!.text)) ports.add(`${protocol} ${port}`);
    }
    expect(ports.size).toBe(2);
    expect(new Set([...ports].map((entry) => entry.split(' ')[0]))).toEqual(new Set(['udp', 'tcp']));
  });
});
