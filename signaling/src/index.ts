export {
  createAuthority,
  type Authority,
  type AuthorityOptions,
  type JoinClaims,
  type LeafClaims,
} from './authority.ts';
export { SignalingConfig, type SignalingConfigInput } from './config.ts';
export { startSignaling, type Signaling, type SignalingOptions } from './signaling.ts';
