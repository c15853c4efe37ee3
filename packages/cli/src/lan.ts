/** What `--lan` needs: an address that phones reach, and a certificate that they can be told to accept. */
import { networkInterfaces } from 'node:os';
import qrcode from 'qrcode-terminal';
import { generate } from 'selfsigned';
import { ClusterError } from '@veilcast/protocol';

/** Days that the self-signed certificate lives; it is made anew at every start. */
const CERTIFICATE_DAYS = 7;

/** The first IPv4 address of this machine that others reach. @throws ClusterError NO_REGION when there is none */
export function lanAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const each of addresses ?? []) if (each.family === 'IPv4' && !each.internal) return each.address;
  }
  throw new ClusterError('TRANSPORT_FAILED', 'This machine has no network address besides loopback; --lan needs one.');
}

/** A self-signed certificate for this address. Browsers warn once; the warning is right, so say so beside the link. */
export async function selfSigned(address: string): Promise<{ key: string; cert: string }> {
  const now = Date.now();
  const made = await generate([{ name: 'commonName', value: 'veilcast' }], {
    notBeforeDate: new Date(now - 60_000),
    notAfterDate: new Date(now + CERTIFICATE_DAYS * 86_400_000),
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: false },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: address },
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** The link as a QR code for a terminal. */
export function qrOf(link: string): Promise<string> {
  return new Promise((resolve) => qrcode.generate(link, { small: true }, resolve));
}
