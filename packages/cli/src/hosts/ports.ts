/** The same on every host, so that firewalls and people can know them. */
export const PORTS = {
  signaling: 7811,
  'cascade-router': 7812,
  'sfu-node': 7813,
  redis: 6379,
  sentinel: 26_379,
  /** /healthz, /readyz and /metrics, on loopback. */
  probes: { signaling: 9811, 'cascade-router': 9812, 'sfu-node': 9813, turn: 9814 },
  /** First UDP and TCP port of media; one a worker. */
  media: 40_000,
  pipes: { min: 41_000, max: 42_999 },
  /** For clients: STUN and TURN, TURN by TLS, and both on the port that every network lets through. Then towards peers. */
  turn: { plain: 3_478, tls: 5_349, web: 443, relayMin: 49_152, relayMax: 65_535 },
} as const;
