/** For every code: what happened, and what goes on by itself or what to know. The one thing to do is in `acts.ts`. */
import type { ErrorCode } from '@veilcast/protocol';

export interface ErrorWords {
  readonly what: string;
  readonly next: string;
}

const misunderstood: ErrorWords = {
  what: 'This page and the server did not understand each other.',
  next: 'The page may be older than the server. Nothing you said was sent to anybody else.',
};

const moved: ErrorWords = {
  what: 'The room moved to another server.',
  next: 'The call goes on there; your place is kept for half a minute.',
};

const lost: ErrorWords = {
  what: 'The server that carried your call is gone.',
  next: 'Another one takes over within seconds. The others hear each other again as they come back.',
};

const busy: ErrorWords = {
  what: 'The servers are too busy to answer.',
  next: 'Calls that are under way go on.',
};

const keys: ErrorWords = {
  what: 'The keys of this room could not be agreed.',
  next: 'Nothing is sent or shown without them, so nobody heard or saw anything unencrypted.',
};

const unsealed: ErrorWords = {
  what: 'No sealed connection to the server could be made.',
  next: 'Something between here and there changes what passes, or the server is not the one it should be. Nothing was sent.',
};

export const errors = {
  MALFORMED: misunderstood,
  OVERSIZE: {
    what: 'That was too long to send.',
    next: 'It was not sent. Shorter parts go through.',
  },
  UNSUPPORTED: misunderstood,
  OUT_OF_ORDER: misunderstood,
  REPLAYED: misunderstood,
  RATE_LIMITED: {
    what: 'Too many requests came from here in a short time.',
    next: 'The limit lifts by itself within a minute.',
  },
  UNAUTHORIZED: {
    what: 'This link does not open the room.',
    next: 'It may be too old, or meant for another room. Ask the host for a new one.',
  },
  BAD_DEVICE: misunderstood,
  WRONG_DEVICE: {
    what: 'This link belongs to another device.',
    next: 'An invitation opens the room for the first device that uses it. Ask the host for a new one.',
  },
  REVOKED: {
    what: 'The identity of this device was revoked.',
    next: 'Nobody believes it any more. A new one is made when you open the room again.',
  },
  WRONG_AUTHORITY: {
    what: 'The server does not vouch for people with the key that this page expects.',
    next: 'Nothing was sent. Somebody may have put another server in between.',
  },
  FORBIDDEN: {
    what: 'Your role in this room does not allow that.',
    next: 'Nothing changed. A host can do it, or give you the role.',
  },
  NOT_JOINED: misunderstood,
  ALREADY_JOINED: misunderstood,
  NOT_FOUND: {
    what: 'That is not in the room any more.',
    next: 'Somebody left or stopped sharing just before. The call goes on.',
  },
  CHANNEL_REQUIRED: misunderstood,
  HANDSHAKE_FAILED: unsealed,
  SEAL_BROKEN: {
    what: 'Something between here and the server changed what passes.',
    next: 'It was noticed and the connection closed. Nothing that was changed was used.',
  },
  MANIFEST_INVALID: unsealed,
  ROOM_FULL: {
    what: 'This room is full.',
    next: 'A place is free as soon as somebody leaves.',
  },
  CLUSTER_FULL: {
    what: 'All servers are full at the moment.',
    next: 'Calls that are under way go on. More room usually opens within minutes.',
  },
  NO_REGION: {
    what: 'No server runs in a region that this link allows.',
    next: 'Nothing was sent elsewhere. Whoever gave you the link can name other regions.',
  },
  NOT_OWNER: moved,
  STALE_TERM: moved,
  STALE_INCARNATION: lost,
  NODE_DRAINING: moved,
  NODE_UNREACHABLE: lost,
  WORKER_DIED: lost,
  DEADLINE: {
    what: 'The server did not answer in time.',
    next: 'Calls that are under way go on.',
  },
  OVERLOADED: busy,
  STORE_UNAVAILABLE: {
    what: 'No call can be opened at the moment.',
    next: 'Calls that are under way go on. New ones usually open again within seconds.',
  },
  CHANNEL_CLOSED: lost,
  EPOCH_CONFLICT: keys,
  COMMIT_INVALID: keys,
  TICKET_EXPIRED: {
    what: 'It took too long to agree on keys.',
    next: 'Nothing was sent or shown. A slow network or a sleeping device does this.',
  },
  CANNOT_CONSUME: {
    what: 'Your browser cannot play what somebody sends.',
    next: 'You still see and hear the others.',
  },
  MEDIA_UNSUPPORTED: {
    what: 'This browser cannot encrypt a call.',
    next: 'Nothing is sent. Open the link over https in a current Chrome, Edge, Firefox or Safari.',
  },
  DEVICE_DENIED: {
    what: 'Your camera or microphone is not allowed here.',
    next: 'Allow it beside the address of this page or in the system’s settings. You can join without.',
  },
  DEVICE_NOT_FOUND: {
    what: 'No camera or microphone was found.',
    next: 'Plug one in, or close the program that uses it. You can join without.',
  },
  KEYS_FAILED: keys,
  TRANSPORT_FAILED: {
    what: 'Your network lets no sound or picture through.',
    next: 'UDP and TCP were both tried. Another network, or one without a company’s filter, works.',
  },
  WEBSOCKET_BLOCKED: {
    what: 'Your network shows this page and blocks the connection that a call needs.',
    next: 'Ask whoever runs the network to let WebSockets (wss, port 443) to this site through the proxy. Another network works meanwhile.',
  },
  DISCONNECTED: {
    what: 'The connection to the server was lost.',
    next: 'It was tried again for half a minute. Your place may still be kept.',
  },
  REMOVED: {
    what: 'A host removed you from the room.',
    next: 'Your camera and microphone are off. The keys of the room have changed.',
  },
  DENIED: {
    what: 'A host did not let you in.',
    next: 'Nothing was sent to the room but your name.',
  },
  CLOSED: {
    what: 'The call has ended.',
    next: 'Your camera and microphone are off.',
  },
  INTERNAL: {
    what: 'Something broke on our side.',
    next: 'It is counted there. The diagnostics tell what happened here and hold no keys.',
  },
} as const satisfies Record<ErrorCode, ErrorWords>;
