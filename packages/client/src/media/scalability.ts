/** Whether this browser can be told to encode spatial layers into one stream. */

/**
 * Asked of a connection that goes nowhere: a browser that does not know `scalabilityMode` leaves it out of the
 * parameters, and one that knows it but not this mode throws.
 */
export function hasSpatialLayers(): boolean {
  const connection = new RTCPeerConnection();
  try {
    const { sender } = connection.addTransceiver('video', {
      direction: 'sendonly',
      sendEncodings: [{ scalabilityMode: 'L3T3_KEY' } as RTCRtpEncodingParameters],
    });
    const [encoding] = sender.getParameters().encodings as { scalabilityMode?: string }[];
    return encoding?.scalabilityMode === 'L3T3_KEY';
  } catch {
    return false;
  } finally {
    connection.close();
  }
}
