/** Whether this browser can transform encoded frames in a secure page; without it, nothing can be sent. */
export function canEncrypt(): boolean {
  const transforms =
    'RTCRtpScriptTransform' in globalThis ||
    ('RTCRtpSender' in globalThis && 'createEncodedStreams' in RTCRtpSender.prototype);
  return isSecureContext && transforms;
}
