/** A signaling process of the simulation: real Rooms over a process that can die, hang and start again, without a port. */
import type { RequestBody } from '@veilcast/protocol';
import { ClusterError, ParticipantId, Role, RoomId } from '@veilcast/protocol';
import {
  openRooms,
  SignalingConfig,
  type Authority,
  type Entrant,
  type Identities,
  type OpenRooms,
  type PeerLink,
  type Seat,
} from '@veilcast/signaling/rooms';
import type { Connection } from './connection.ts';
import { inspectMessage } from './member.ts';
import type { Life } from './processes.ts';

/** Says what the token says: signatures need real time, and are tried where they are made. */
const AUTHORITY: Authority = {
  issueToken: async () => '',
  verifyToken: async (token) => claimsOf(token),
  signLeaf: async ({ peer }) => `leaf.${peer}`,
  signBundle: async () => new Uint8Array(),
  signHead: async () => new Uint8Array(),
  signRevocations: async () => new Uint8Array(),
  publicKey: () => ({ kty: 'OKP', root: '', vouchers: [] }),
};

const NOBODYS = Uint8Array.of(0);

/** Nobody shows whose device it is: members here ask nobody. */
const IDENTITIES: Identities = {
  admit: async ({ token }) => entrantOf(token),
  attested: async () => ({ attestation: NOBODYS, head: NOBODYS }),
  attestations: async () => ({ head: NOBODYS, attestations: [] }),
  isRevoked: () => false,
};

export function tokenOf(room: string, participant: string, role: Role): string {
  return `${room} ${participant} ${role}`;
}

function claimsOf(token: string) {
  const [room, sub, role] = token.split(' ');
  const [tokenId, expiresAt] = [token, Number.MAX_SAFE_INTEGER];
  return { room: RoomId.parse(room), sub: ParticipantId.parse(sub), role: Role.parse(role), tokenId, expiresAt };
}

function entrantOf(token: string): Entrant {
  const proven = { key: NOBODYS, statement: NOBODYS, bundle: NOBODYS, bundleName: '', index: 0 };
  return { ...claimsOf(token), proven };
}

export class Site {
  readonly name: string;
  readonly connections = new Set<Connection>();
  readonly #life: Life;
  #held: (() => void)[] = [];
  #open: OpenRooms | undefined;
  #paused = false;

  constructor(name: string, life: Life) {
    this.name = name;
    this.#life = life;
  }

  get rooms(): OpenRooms['rooms'] | undefined {
    return this.#open?.rooms;
  }

  get cluster(): OpenRooms['cluster'] | undefined {
    return this.#open?.cluster;
  }

  /** @throws ClusterError DISCONNECTED: nobody listens */
  get mustListen(): this {
    if (!this.#life.alive || this.#open === undefined) throw new ClusterError('DISCONNECTED');
    return this;
  }

  async start(): Promise<void> {
    const { name } = this;
    this.#open = await openRooms({
      config: SignalingConfig.parse({
        processId: name,
        address: `memory:${name}`,
        leaseTtlMs: 3_000,
        policy: { development: true, firstIsHost: true },
      }),
      context: this.#life.context,
      authority: AUTHORITY,
      identities: IDENTITIES,
      inspect: inspectMessage,
      sockets: () => this.connections.size,
      bug: (error) => this.#life.bug(error),
    });
  }

  async sit(link: PeerLink, body: RequestBody<'join'>): Promise<Seat> {
    if (this.#open === undefined) throw new ClusterError('CHANNEL_CLOSED');
    return this.#open.sit(link, await IDENTITIES.admit(body), body);
  }

  /** Now, or when the process goes on; never if it is dead. */
  whenRunning(run: () => void): void {
    if (!this.#life.alive) return;
    if (this.#paused) this.#held.push(run);
    else run();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const run of this.#held.splice(0)) run();
  }

  /** The process died: the operating system closes its sockets. */
  died(): void {
    this.#held = [];
    for (const connection of this.connections) connection.cut();
  }

  async close(): Promise<void> {
    await this.#open?.close();
    for (const connection of this.connections) connection.cut();
  }
}
