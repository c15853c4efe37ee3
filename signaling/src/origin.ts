/**
 * Which web pages may open a socket, and who counts as standing on this machine. A browser names its page in `Origin`;
 * what is no browser sends none and holds nobody's cookies, so it may connect.
 */
import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import type { SignalingConfig, SignalingPolicy } from './config.ts';

type Asked = Pick<IncomingMessage, 'headers'>;

export function originAllowed(request: Asked, policy: Pick<SignalingPolicy, 'development' | 'origins'>): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  const url = URL.parse(origin);
  if (url === null) return false;
  if (url.host === host) return true;
  if (policy.origins.includes(url.origin)) return true;
  return policy.development && isLoopbackName(url.hostname);
}

/** The address that the budgets count by: the connection's, or what the last trusted proxy says. */
export function addressOf(request: IncomingMessage, proxyHops: number): string {
  const direct = request.socket.remoteAddress ?? '';
  if (proxyHops === 0) return direct;
  const forwarded = request.headers['x-forwarded-for'];
  const hops = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '')).split(',').map((hop) => hop.trim());
  return (hops.at(-proxyHops) ?? direct).slice(0, 64);
}

/** Until there are operator accounts: whoever sits at this machine, or comes with our own page, in development. */
export function mayOperate(request: IncomingMessage, { policy, proxyHops }: SignalingConfig): boolean {
  if (!policy.development || !originAllowed(request, policy)) return false;
  return request.headers.origin !== undefined || isLoopback(addressOf(request, proxyHops));
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || isLoopback(name);
}

export function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}
