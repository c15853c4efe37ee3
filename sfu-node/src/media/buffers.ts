/**
 * Receive buffer asked for sockets that many packets come to at once: frames arrive in one piece, key frames of several publishers at the same time.
 * The kernel's own 208 KiB hold 90 packets. It gives at most `net.core.rmem_max`.
 */
export const RECEIVE_BUFFER_BYTES = 4 << 20;
