/**
 * socket.io on an HTTP server that is somebody else's: takes the upgrades of its own path, checks where they come from,
 * and leaves nothing behind when it closes. WebSocket only: a long poll would be a second path to guard.
 */
import { MESSAGE_MAX, type Clock } from '@veilcast/protocol';
import { Server as Engine, type Socket as Connection } from 'engine.io';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { Server, type Socket } from 'socket.io';
import { Decoder, Encoder } from 'socket.io-parser';
import type { SignalingLimits } from './config.ts';
import type { SignalingMetrics } from './metrics.ts';
import { Traffic, wireOf, type Wire } from './traffic.ts';

const PATH = '/socket.io/';
/** A ping each so often. Longer: a vanished client stays in the grid. Shorter: phones wake up for nothing. */
const PING_INTERVAL_MS = 5_000;
/** How long a client may take to hear that we close. Longer: a slow one holds us up. */
const GOODBYE_MS = 500;
/** Binary parts of one message: its record. */
const ATTACHMENTS_MAX = 1;
/** Longest wait for its pong. Shorter: a tunnel ends the call. */
const PING_TIMEOUT_MS = 7_000;

export interface FrontDoorOptions {
  readonly server: HttpServer | HttpsServer;
  readonly clock: Clock;
  readonly limits: SignalingLimits;
  readonly metrics: SignalingMetrics;
  /** False: refused before anything is read of it. */
  readonly mayConnect: (request: IncomingMessage) => boolean;
}

export interface FrontDoor {
  readonly io: Server;
  /** Connections, whatever they have said. */
  connections(): number;
  trafficOf(socket: Pick<Socket, 'conn'>): Traffic;
  close(): Promise<void>;
}

export function openFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { server, clock, limits, metrics, mayConnect } = options;
  const engine = new Engine({
    transports: ['websocket'],
    allowUpgrades: false,
    maxHttpBufferSize: MESSAGE_MAX,
    perMessageDeflate: false,
    httpCompression: false,
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
    allowRequest: (request, done) => {
      if (mayConnect(request)) done(null, true);
      else done('FORBIDDEN', false);
    },
  });
  const wires = new Set<Wire>();
  const traffic = new WeakMap<Connection, Traffic>();
  engine.on('connection', (connection: Connection) => {
    const wire = wireOf(connection);
    if (wire !== undefined) {
      wires.add(wire);
      wire.once('close', () => wires.delete(wire));
    }
    traffic.set(connection, watched(connection, options));
    connection.once('close', (reason: string, cause?: { readonly message?: string }) => {
      if (reason === 'parse error') metrics.refused('MALFORMED');
      // What the WebSocket library says of a message that is longer than maxHttpBufferSize.
      else if (/max payload size/i.test(cause?.message ?? '')) metrics.refused('OVERSIZE');
    });
  });
  const parser = { Encoder, Decoder: strictDecoder(() => metrics.refused('MALFORMED')) };
  const io = new Server({ serveClient: false, connectTimeout: limits.handshakeWithinMs, parser });
  io.bind(engine);
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (request.url?.startsWith(PATH)) engine.handleUpgrade(request, socket, head);
    // With a listener there, Node leaves what nobody takes open for ever.
    else if (server.listenerCount('upgrade') === 1) socket.destroy();
  };
  server.on('upgrade', upgrade);
  return {
    io,
    connections: () => engine.clientsCount,
    trafficOf: (socket) => {
      const found = traffic.get(socket.conn);
      if (found === undefined) throw new Error('a socket without a connection');
      return found;
    },
    close: async () => {
      server.off('upgrade', upgrade);
      // A record is two packets, and what waits behind the first is dropped by closing.
      await lastWords(
        connections(engine).filter(({ readyState }) => readyState === 'closing'),
        clock,
      );
      // Without `attach` it knows no HTTP server, and so does not close it.
      await io.close();
      await lastWords(wires, clock);
      for (const wire of wires) wire.terminate();
    },
  };
}

function watched(connection: Connection, { limits, clock, metrics }: FrontDoorOptions): Traffic {
  const traffic = new Traffic(connection, limits, clock);
  traffic.onCut((code) => {
    metrics.refused(code);
    metrics.dropped(code);
    if (code === 'OVERLOADED') metrics.slowSocket();
  });
  return traffic;
}

/** socket.io's own, with fewer attachments; bytes that it cannot read close the connection, and are counted first. */
function strictDecoder(refused: () => void): typeof Decoder {
  return class extends Decoder {
    constructor() {
      super({ maxAttachments: ATTACHMENTS_MAX });
    }

    override add(chunk: unknown): void {
      try {
        super.add(chunk);
      } catch (error) {
        refused();
        throw error;
      }
    }
  };
}

function connections(engine: Engine): Connection[] {
  return Object.values((engine as unknown as { readonly clients: Record<string, Connection> }).clients);
}

async function lastWords(wires: Iterable<Pick<Wire, 'once'>>, clock: Clock): Promise<void> {
  const heard = Promise.all([...wires].map((wire) => new Promise<void>((resolve) => wire.once('close', resolve))));
  await new Promise<void>((resolve) => {
    const stop = clock.after(GOODBYE_MS, resolve);
    void heard.then(() => {
      stop();
      resolve();
    });
  });
}
