export { createAuthority, type Authority, type AuthorityOptions, type LeafClaims } from './authority.ts';
export type { JoinClaims, TokenClaims } from './tokens.ts';
export { developmentIdentity, type ChannelIdentity } from './channel-identity.ts';
export { LoadToken, SignalingConfig, type SignalingConfigInput } from './config.ts';
export { startSignaling, type Signaling, type SignalingOptions } from './signaling.ts';
export { WebConfig } from './web-config.ts';
