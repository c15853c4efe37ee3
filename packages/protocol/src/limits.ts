/** Sizes and counts that every receiver enforces before it looks at a message. Bytes unless a name says otherwise. */

/** One socket message, larger than the largest GroupInfo of 100 members (about 280 kB, measured with X-Wing). */
export const MESSAGE_MAX = 1_048_576;
/** A Commit: 20 kB warm at 128 members, 130 kB cold at 100. */
export const COMMIT_MAX = 262_144;
/** A GroupInfo with its ratchet tree: 344 kB at 128 members. */
export const GROUP_INFO_MAX = 524_288;
/** Who is let into a group by one Commit: its KeyPackages are two thirds of COMMIT_MAX at most. */
export const ADMITTED_MAX = 32;
/** A KeyPackage with the longest credential: 5,0 kB. */
export const KEY_PACKAGE_MAX = 5_376;
/** A Welcome for ADMITTED_MAX: 1.4 kB each. */
export const WELCOME_MAX = 65_536;
/** A sealed application message: chat, names, hands. */
export const SEALED_MAX = 65_536;
/** RTP parameters or capabilities as JSON: Chromium's are under 12 kB. */
export const RTP_JSON_MAX = 65_536;
/** A bundle with a user id of 64 bytes (packages/e2ee, identity). */
export const BUNDLE_MAX = 5_359;
/** A device key and its statement about a leaf key: 5,443 bytes at most (packages/e2ee, identity). */
export const DEVICE_PROOF_MAX = 6_144;
/** A bundle, a statement and a path in the log: 10,4 kB at most. */
export const ATTESTATION_MAX = 12_288;
/** Attestations in one answer: a third of MESSAGE_MAX. */
export const ATTESTATIONS_MAX = 32;
/** A signed head of the log. */
export const LOG_HEAD_MAX = 4_096;
/** A signed list of 4,000 revoked devices. */
export const REVOCATIONS_MAX = 170_000;
/** Peers of one Room in one MLS group (DESIGN §5, Size). */
export const PEERS_MAX = 100;
/** Producers of one Peer: microphone, camera, screen, its sound, and as many again while they are replaced. */
export const PRODUCERS_MAX = 8;
/** STUN and TURN servers that one Peer is told of. Browsers are slower to connect with more than a few. */
export const ICE_SERVERS_MAX = 4;
/** Producers named in one request. */
export const BATCH_MAX = 256;
/** People who wait in one lobby. */
export const LOBBY_MAX = 200;
