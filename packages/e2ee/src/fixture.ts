/** An Authentication Service and people with its credentials, for tests. */
import type { PeerId, RoomId } from '@veilcast/protocol';
import { toBase64Url } from './base64url.ts';
import { type AuthorityKey, credentialValidator } from './credential.ts';
import type { GroupLibrary, GroupSelf, GroupState } from './group.ts';
import { tsMlsLibrary } from './ts-mls.ts';

export const NOW = 1_800_000_000_000;
export const ROOM = 'demo' as RoomId;
export const library: GroupLibrary = tsMlsLibrary();

/** Of nothing: who sits here is not asked for an attestation. */
const BUNDLE = 'A'.repeat(43);

export interface Authority {
  readonly jwk: AuthorityKey;
  sign(claims: object, header?: object): Promise<string>;
}

export async function newAuthority(): Promise<Authority> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const { kty, crv, x } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return {
    jwk: { kty: kty ?? '', crv: crv ?? '', x: x ?? '' },
    async sign(claims, header = { alg: 'EdDSA', typ: 'veilcast-leaf' }) {
      const signed = `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(claims))}`;
      const signature = await crypto.subtle.sign('Ed25519', pair.privateKey, new TextEncoder().encode(signed));
      return `${signed}.${base64Url(new Uint8Array(signature))}`;
    },
  };
}

export function base64Url(content: string | Uint8Array): string {
  return toBase64Url(typeof content === 'string' ? new TextEncoder().encode(content) : content);
}

export function claimsOf(peer: string, leafPublicKey: Uint8Array, change: object = {}): object {
  const exp = NOW / 1000 + 3600;
  const leaf = base64Url(leafPublicKey);
  return { v: 2, room: ROOM, peer, participant: `of-${peer}`, role: 'speaker', leaf, bundle: BUNDLE, exp, ...change };
}

/** Somebody with a credential that holds, unless `change` says otherwise. */
export async function person(authority: Authority, peer: string, change: object = {}): Promise<GroupSelf> {
  const leafKey = await library.generateLeafKey();
  return {
    roomId: ROOM,
    peerId: peer as PeerId,
    leafKey,
    credential: await authority.sign(claimsOf(peer, leafKey.publicKey, change)),
    validate: credentialValidator(authority.jwk, ROOM, () => NOW),
  };
}

/** A group whose members entered one after the other, as they do. */
export async function groupOf(
  authority: Authority,
  peers: readonly string[],
): Promise<{ states: GroupState[]; groupInfo: Uint8Array }> {
  const [first = 'nobody', ...others] = peers;
  const made = await library.createGroup(await person(authority, first));
  const states = [made.state];
  let { groupInfo } = made;
  for (const peer of others) {
    const joined = await library.joinGroup(await person(authority, peer), groupInfo);
    for (const [i, state] of states.entries()) {
      states[i] = library.adopt(state, (await library.applyCommit(state, joined.commit)).next);
    }
    states.push(joined.next);
    groupInfo = joined.groupInfo;
  }
  return { states, groupInfo };
}

/** The reason of a GroupError, or what was thrown instead of one, or that nothing was. */
export async function reasonOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'taken';
  } catch (error) {
    return error instanceof Error && 'reason' in error ? String(error.reason) : `threw ${String(error)}`;
  }
}

/** A generator of numbers below 2³² that are the same for the same seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
