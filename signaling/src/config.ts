/**
 * Everything that can be set about signaling, with limits and reasons. Unknown keys are refused: a misspelt limit must
 * not silently fall back to its default.
 */
import { secret } from '@veilcast/node-kit';
import { PEERS_MAX, PeerToPeer, PRODUCERS_MAX } from '@veilcast/protocol';
import { FORWARDING, type RoomPolicy } from '@veilcast/room';
import { z } from 'zod';
import { ApiKey, Issuer } from './tokens.ts';

const ms = z.number().int().positive();

/** Of one load test. No secret: it says that this cluster's operator wants that test. */
export const LoadToken = z.string().regex(/^[A-Za-z0-9_-]{8,128}$/, '8 to 128 letters, digits, - and _');

export const SignalingPolicy = z.strictObject({
  development: z
    .boolean()
    .default(false)
    .describe('Gives a token to whoever asks, lets a client choose its region, opens the operator page on loopback.'),
  peersMax: z.number().int().min(1).max(PEERS_MAX).default(PEERS_MAX).describe('Most Peers of one Room.'),
  producersMax: z
    .number()
    .int()
    .min(1)
    .max(PRODUCERS_MAX)
    .default(PRODUCERS_MAX)
    .describe('Most Producers of one Peer.'),
  voicesMax: z
    .number()
    .int()
    .min(1)
    .max(32)
    .default(FORWARDING.voicesMax)
    .describe('Voices forwarded at a time in a Room of many open microphones: the loudest.'),
  voicesFrom: z
    .number()
    .int()
    .min(1)
    .max(PEERS_MAX)
    .default(FORWARDING.voicesFrom)
    .describe('With no more open microphones than that all of them are forwarded.'),
  camerasMax: z
    .number()
    .int()
    .min(1)
    .max(PEERS_MAX)
    .default(FORWARDING.camerasMax)
    .describe('Cameras that one Peer gets at a time: those it pinned, then those of who spoke last.'),
  firstIsHost: z.boolean().default(false).describe('Whoever enters an empty Room becomes its host.'),
  peerToPeer: PeerToPeer.default('off').describe(
    'Whether calls between two may go directly, past every Node: off, asked (where both links say p2p=1), on (unless one of the two hides its address).',
  ),
  origins: z
    .array(z.string().max(256))
    .max(64)
    .default([])
    .describe('Web origins that may connect besides our own, e.g. https://call.example.org.'),
});
export type SignalingPolicy = z.output<typeof SignalingPolicy>;

export const SignalingLimits = z.strictObject({
  socketsMax: z.number().int().positive().default(10_000).describe('Most sockets of this process.'),
  roomsMax: z.number().int().positive().default(10_000).describe('Most Rooms owned by this process.'),
  handshakeWithinMs: ms.default(5_000).describe('A socket whose channel is not open by then is dropped.'),
  joinWithinMs: ms
    .default(180_000)
    .describe('A socket that has not joined by then is dropped. Pages open theirs before somebody clicks on Join.'),
  freshMax: z
    .number()
    .int()
    .positive()
    .default(2_000)
    .describe('Sockets that have a channel and have not joined; one more drops the oldest of them.'),
  handshakesPerMinute: z.number().int().positive().default(600).describe('Handshakes from one network address.'),
  resumableMax: z
    .number()
    .int()
    .positive()
    .default(4_096)
    .describe('Former channels that can be resumed; 2 kB of memory each.'),
  requestsPerSecond: z.number().positive().default(50).describe('Requests of one socket, on average.'),
  requestsBurst: z
    .number()
    .positive()
    .default(200)
    .describe('Requests of one socket at once: a big Room is entered so.'),
  bytesPerSecond: z
    .number()
    .positive()
    .default(512 * 1024)
    .describe('Bytes from one socket, on average.'),
  bytesBurst: z
    .number()
    .positive()
    .default(4 * 1024 * 1024)
    .describe('Bytes from one socket at once: a few large Commits.'),
  strikesMax: z
    .number()
    .int()
    .positive()
    .default(50)
    .describe('Refusals for abuse in a row before a socket is closed.'),
  pendingMax: z.number().int().positive().default(128).describe('Unanswered requests of one socket.'),
  sendBufferMax: z
    .number()
    .int()
    .positive()
    .default(4 * 1024 * 1024)
    .describe('Bytes that wait for a slow reader before it is dropped.'),
  joinsPerSecond: z
    .number()
    .positive()
    .default(100)
    .describe('Joins that this process lets in, on average. The others wait in line and are told their place.'),
  joinsBurst: z.number().int().positive().default(200).describe('Joins at once before anybody waits.'),
  joinsWaitingMax: z
    .number()
    .int()
    .positive()
    .default(5_000)
    .describe('People in line. One more is refused with OVERLOADED and a time.'),
  joinsPerMinute: z.number().int().positive().default(600).describe('Joins from one network address.'),
  tokensPerMinute: z.number().int().positive().default(600).describe('Development tokens for one network address.'),
});
export type SignalingLimits = z.output<typeof SignalingLimits>;

export const SignalingConfig = z.strictObject({
  processId: z.string().min(1).max(64).describe('Stable name of this process.'),
  address: z.string().min(1).max(256).describe('Where other processes dial this one.'),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .max(256)
    .optional()
    .describe('Where clients reach this process and no other, for those whose socket at another process broke.'),
  cluster: z.string().min(1).max(64).default('veilcast').describe('Name shown on the operator page.'),
  loadToken: LoadToken.optional().describe(
    'Shown to whoever asks at /api/load: a load run that names it may come. Missing: no load run comes.',
  ),
  leaseTtlMs: ms.default(2_000).describe('A dead owner blocks its Rooms for so long; renewed every third of it.'),
  ownerSearchMs: ms
    .default(9_000)
    .describe(
      'How long an owner of a Room is looked for. Longer: a client could have joined anew. Shorter: a dead owner is not waited for.',
    ),
  tokenTtlMs: ms.default(15 * 60_000).describe('Life of a join token.'),
  credentialTtlMs: ms.default(24 * 3_600_000).describe('Life of a leaf credential: the longest call.'),
  bundleTtlMs: ms.default(24 * 3_600_000).describe('Life of a bundle. Shorter: a long call asks for new ones.'),
  demandEveryMs: ms.default(3_000).describe('How often a Room repeats its demand to the cascade-router.'),
  authorityKeyFile: z
    .string()
    .max(4096)
    .optional()
    .describe('A private Ed25519 JWK of the Authentication Service. Missing: a new key at every start.'),
  authorityRootFile: z
    .string()
    .max(4096)
    .optional()
    .describe('32 bytes, base64url: the seed of the ML-DSA-65 root. Missing: a new root at every start.'),
  identityDir: z
    .string()
    .max(4096)
    .optional()
    .describe('Where the log of bundles and the revoked devices are kept. Belongs to the root: keep both or neither.'),
  apiKeys: z.array(ApiKey).max(64).default([]).describe('Of customers whose backends issue join tokens themselves.'),
  issuers: z
    .array(Issuer)
    .max(16)
    .default([])
    .describe("Customers' own Authentication Services: their tokens are taken."),
  operatorKey: secret(32)
    .optional()
    .describe('What an operator shows to revoke devices, at least 32 characters. Missing: nobody can.'),
  channelKeyFile: z
    .string()
    .max(4096)
    .optional()
    .describe(
      'The X-Wing seed of the sealed channel and its signed manifest. Missing: a root of its own at every start.',
    ),
  channelRootFile: z
    .string()
    .max(4096)
    .optional()
    .describe(
      'Development: 32 bytes, base64url, the seed of the root under which each process signs a manifest of its own. In production the root is offline; see channelKeyFile.',
    ),
  proxyHops: z.number().int().min(0).max(8).default(0).describe('Trusted proxies before us that add X-Forwarded-For.'),
  turn: z
    .strictObject({
      secretFile: z
        .string()
        .max(4096)
        .optional()
        .describe('What the TURN servers know too, a secret a line; the first one signs. Missing: no TURN servers.'),
      ttlMs: ms
        .max(86_400_000)
        .default(300_000)
        .describe('Life of a credential for TURN. Clients ask for the next one in time.'),
    })
    .prefault({}),
  policy: SignalingPolicy.prefault({}),
  limits: SignalingLimits.prefault({}),
});
export type SignalingConfig = z.output<typeof SignalingConfig>;
/** What may be left out. */
export type SignalingConfigInput = z.input<typeof SignalingConfig>;

/** What of it every Room is told. */
export function roomPolicyOf({ policy }: SignalingConfig): RoomPolicy {
  const { peersMax, producersMax, firstIsHost, voicesMax, voicesFrom, camerasMax } = policy;
  return { peersMax, producersMax, firstIsHost, voicesMax, voicesFrom, camerasMax };
}

/** What of it everybody who comes in is told; nothing where there is nothing to tell. */
export function peerToPeerOf({ policy }: SignalingConfig): { peerToPeer?: PeerToPeer } {
  return policy.peerToPeer === 'off' ? {} : { peerToPeer: policy.peerToPeer };
}
