export type { EmojiName } from '@veilcast/e2ee/emoji';
export { groupEmoji } from '@veilcast/e2ee/emoji';
export type * from './call.ts';
export { connect } from './connect.ts';
export { deviceIdentity, importDeviceIdentity, type DeviceIdentity } from './device/device.ts';
export { guestIdentity, identityFromSeed } from './device/identity.ts';
export { prepare } from './prepare.ts';
export { measureRegions } from './probe.ts';
