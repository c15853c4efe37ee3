/** The one door to this browser's identity; the visual test puts a made-up one behind it with the rest of the SDK. */
export { deviceIdentity, importDeviceIdentity, type DeviceIdentity } from '@veilcast/client';
