export { type Cipher, type MakeCipher, type Sealing, webCipher } from './aead.ts';
export { BroadcastOpener, BroadcastSealer } from './broadcast.ts';
export { ClientChannel, ServerChannel } from './channel.ts';
export { ClientHandshake } from './client-handshake.ts';
export { CONTENT, KIND, M1_MAX, M3_MAX, PROTOCOL, PSK_LIFE_MS } from './constants.ts';
export {
  MANIFEST_LIFE_MAX_S,
  MANIFEST_MAX,
  openManifest,
  pinOf,
  rootOf,
  signManifest,
  type Manifest,
} from './manifest.ts';
export { OTHERS_MAX, Welcome } from './payloads.ts';
export { decodeContent, encodeContent } from './content.ts';
export type { HandshakePorts, Psk } from './ports.ts';
export { RECORD_OVERHEAD } from './records.ts';
export { Resumptions, type Resumable } from './resumption.ts';
export type { TrafficSecrets } from './schedule.ts';
export { ServerHandshake, type Presented } from './server-handshake.ts';
