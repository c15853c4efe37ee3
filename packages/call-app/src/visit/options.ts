/**
 * What the link says: `/r/<room>?name=&region=&role=&join=1&video=0&audio=0&token=` (DESIGN §11), and `codec=` for
 * development: vp8, vp9, h264 or av1; `relay=1` hides our address behind a TURN server; `p2p=0` keeps a call between two off the
 * direct path, `p2p=1` asks for it. Pure.
 */
import type { VideoCodec } from '@veilcast/client';
import { RegionId, Role, RoomId } from '@veilcast/protocol';

export const NAME_MAX = 64;

export interface VisitOptions {
  readonly room: string;
  readonly name: string;
  readonly role: Role;
  readonly region: string | undefined;
  readonly token: string | undefined;
  /** What pictures are sent in where everybody can decode it; the SDK's own choice without it. */
  readonly codec: VideoCodec | undefined;
  /** Everything goes through a TURN server. */
  readonly relay: boolean;
  /** Whether a call between two goes directly, within the cluster's policy; undefined: as the policy says. */
  readonly peerToPeer: boolean | undefined;
  /** Joins without a click. */
  readonly join: boolean;
  readonly video: boolean;
  readonly audio: boolean;
}

const CODECS: readonly VideoCodec[] = ['vp8', 'vp9', 'h264', 'av1'];

export type Place =
  | { readonly kind: 'landing' }
  | { readonly kind: 'check' }
  | { readonly kind: 'room'; readonly options: VisitOptions }
  /** A link to a room whose name cannot be one. */
  | { readonly kind: 'lost' };

/** Reads a link. Never throws; a value that makes no sense counts as absent. */
export function readPlace(url: URL): Place {
  if (url.pathname === '/' || url.pathname === '/index.html') return { kind: 'landing' };
  if (/^\/check\/?$/.test(url.pathname)) return { kind: 'check' };
  const room = RoomId.safeParse(/^\/r\/([^/]+)\/?$/.exec(url.pathname)?.[1]?.toLowerCase());
  if (!room.success) return { kind: 'lost' };
  const query = url.searchParams;
  const token = query.get('token') ?? undefined;
  const role = Role.safeParse(roleOf(token) ?? query.get('role'));
  const region = RegionId.safeParse(query.get('region'));
  return {
    kind: 'room',
    options: {
      room: room.data,
      name: cleanName(query.get('name') ?? ''),
      role: role.success ? role.data : 'speaker',
      region: region.success ? region.data : undefined,
      token,
      codec: CODECS.find((codec) => codec === query.get('codec')),
      relay: query.get('relay') === '1',
      peerToPeer: choiceOf(query.get('p2p')),
      join: query.get('join') === '1',
      video: query.get('video') !== '0',
      audio: query.get('audio') !== '0',
    },
  };
}

function choiceOf(text: string | null): boolean | undefined {
  return text === '1' ? true : text === '0' ? false : undefined;
}

/** The role that a join token speaks of, to know whether to open a camera. The server checks it; this page believes it. */
function roleOf(token: string | undefined): unknown {
  const payload = token?.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof claims === 'object' && claims !== null && 'role' in claims ? claims.role : undefined;
  } catch {
    return undefined;
  }
}

/** One line, no spaces at the ends, at most NAME_MAX UTF-16 units and no half of a character. */
export function cleanName(name: string): string {
  const line = name.replaceAll(/\s+/gu, ' ').trim();
  let cut = '';
  for (const character of line) {
    if (cut.length + character.length > NAME_MAX) break;
    cut += character;
  }
  return cut.trim();
}

/** What a person typed as the name of a room, as it can stand in a link; empty when nothing of it can. */
export function roomFromWords(words: string): string {
  const plain = words.normalize('NFKD').toLowerCase().replaceAll(/\p{M}/gu, '');
  return plain
    .replaceAll(/[^a-z0-9_]+/g, '-')
    .replaceAll(/^[-_]+|-+$/g, '')
    .slice(0, 64);
}
