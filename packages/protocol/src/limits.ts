/** Sizes and counts that every receiver enforces before it looks at a message. Bytes unless a name says otherwise. */

/** One socket message, larger than the largest GroupInfo of 100 members (about 280 kB, measured with X-Wing). */
export const MESSAGE_MAX = 1_048_576;
/** A Commit: 20 kB warm at 128 members, 130 kB cold at 100. */
export const COMMIT_MAX = 262_144;
/** A GroupInfo with its ratchet tree: 344 kB at 128 members. */
export const GROUP_INFO_MAX = 524_288;
/** A sealed application message: chat, names, hands. */
export const SEALED_MAX = 65_536;
/** RTP parameters or capabilities as JSON: Chromium's are under 12 kB. */
export const RTP_JSON_MAX = 65_536;
/** Peers of one Room in one MLS group (DESIGN §5, Size). */
export const PEERS_MAX = 100;
/** Producers of one Peer: microphone, camera, screen, its sound, and as many again while they are replaced. */
export const PRODUCERS_MAX = 8;
/** Producers named in one request. */
export const BATCH_MAX = 256;
/** People who wait in one lobby. */
export const LOBBY_MAX = 200;
