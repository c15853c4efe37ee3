/** RFC 4648 §5 without padding, strictly. */

export function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCodePoint(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @throws SyntaxError, DOMException */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new SyntaxError('not base64url');
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (char) => char.codePointAt(0) ?? 0);
  // One value has one spelling: bits of the last digit that stand for nothing are 0 (RFC 4648 §3.5).
  if (toBase64Url(bytes) !== text) throw new SyntaxError('not base64url');
  return bytes;
}
