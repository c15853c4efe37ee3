/**
 * Credentials that a TURN server checks without asking anybody (draft-uberti-behave-turn-rest-00): the user name says when they
 * end, the password is the HMAC of the user name under a secret that signaling and the TURN servers share.
 */
import type { IceServer, PeerId } from '@veilcast/protocol';
import { createHmac } from 'node:crypto';

/** Of the id within the user name. Shorter: two Peers could share a quota. */
const ID_BYTES = 12;

export type Credential = Pick<IceServer, 'username' | 'credential'>;

/**
 * One Peer has one id for its whole stay, so that its quota holds over all its credentials. The id is an HMAC too: whoever reads the
 * log of a TURN server learns neither a Peer nor a person from it.
 * @param endsAt ms since the Unix epoch
 */
export function restCredential(secret: string, peerId: PeerId, endsAt: number): Credential {
  const id = createHmac('sha256', secret).update(`veilcast turn ${peerId}`).digest().subarray(0, ID_BYTES);
  const username = `${Math.floor(endsAt / 1_000)}:${id.toString('base64url')}`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}
