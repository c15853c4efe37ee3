/** What k6 gives to a scenario besides JavaScript: the extension, and its environment. */
declare module 'k6/x/veilcast' {
  /** The cluster under load. `./veilcast load` writes it into VEILCAST_TARGET. */
  export interface Target {
    readonly origin: string;
    readonly pin?: string;
    readonly keyId?: string;
    readonly secret?: string;
    /** Addresses of 127.0.0.0/8 to come from, where the cluster is on this machine: its budgets count by address. */
    readonly sources?: number;
  }

  export interface Shape {
    readonly fps: number;
    /** Bytes of a delta frame, and of a key frame. */
    readonly frameBytes: number;
    readonly keyFrameBytes: number;
    /** Frames from one key frame to the next; 0: only those that are asked for. */
    readonly keyEvery: number;
    /** Most bytes of payload in a packet. */
    readonly packetBytes: number;
    /** Layers of a simulcast, 1 to 3. */
    readonly layers: number;
  }

  export interface Publication {
    readonly source: 'camera' | 'microphone' | 'screen' | 'screen-audio';
    readonly shape: Shape;
  }

  /** So many people of one kind. */
  export interface Group {
    readonly room: string;
    readonly role: 'host' | 'speaker' | 'viewer';
    readonly count: number;
    /** Rooms to spread over, `room-0`, `room-1` …; left out: the one Room. */
    readonly rooms?: number;
    /** Joins that begin each second; left out: all at once. */
    readonly perSecond?: number;
    readonly region?: string;
    /** Takes turns in the group, with placeholders: docs/adr/0032. */
    readonly keys?: boolean;
    readonly watch?: boolean;
    readonly publish?: readonly Publication[];
  }

  export interface Now {
    readonly peers: number;
    readonly keyed: number;
    readonly waiting: number;
    readonly worstLoss: number;
  }

  /** Everybody who has come. Every method waits for its end, or for k6 to stop. */
  export interface Crowd {
    /** How many got in. */
    join(group: Group): number;
    stay(seconds: number): void;
    /** Those who came first leave first; who publishes stays. */
    leave(count: number): void;
    /** One of each Room speaks to all others there; how many could. */
    say(): number;
    /** Everybody's socket is cut at once, and each resumes its call; how many did. */
    reconnect(): number;
    /** One of each Room leaves, and all who stay have the next key; in how many Rooms they had it in 10 s. */
    rekey(): number;
    /** Asks `./veilcast load` to let something happen to the run's own cluster: `kill signaling-1`, `hang us`. */
    fault(what: string): void;
    /**
     * How many Consumers the cluster holds more than this crowd has reason for, looked at until there are none or for so many seconds. While
     * nobody comes or goes, on a cluster that serves this crowd alone.
     */
    excess(seconds: number): number;
    /** Until so many have a place in their groups, or so many seconds; how many have. */
    awaitKeys(count: number, seconds: number): number;
    count(): Now;
    close(): void;
  }

  export function openCrowd(target: Target): Crowd;
}

declare const __ENV: Readonly<Record<string, string | undefined>>;
