/** What was measured between two looks at a connection: the only thing that the controller knows of the network. */

/** What this Peer sends, over some second. What a browser does not say is undefined. */
export interface SendSample {
  /** Everything that left, with headers. */
  readonly sentBps: number;
  /** The browser's own estimate of what the way up carries. */
  readonly availableBps: number | undefined;
  readonly rttMs: number | undefined;
  /** Share of packets that the server missed, 0 to 1. */
  readonly loss: number | undefined;
  /** How long a packet waited here before it left. */
  readonly sendDelayMs: number | undefined;
  /** Pictures are being sent: the estimate is tried, and a lower rung is felt. */
  readonly pictures: boolean;
  /** The encoder says that the processor, not the network, keeps it small. */
  readonly cpu: boolean;
  /** Share of the time that the encoders of one picture are at work, 0 to 1 and above: the busiest picture's. */
  readonly encoding: number | undefined;
}

/** What it receives. */
export interface ReceiveSample {
  readonly receivedBps: number;
  readonly rttMs: number | undefined;
  /** How long ago that was measured: a browser asks every two to three seconds. */
  readonly rttAgeMs: number;
  /** Share of packets that were missed before any repair, 0 to 1. */
  readonly loss: number | undefined;
  /** Share of the sound that was made up because nothing was there to play, 0 to 1. */
  readonly concealed: number | undefined;
  /** Pictures that somebody sends and this Peer shows. */
  readonly wanted: number;
  /** Of these, those that come. */
  readonly pictures: number;
  /** Share of what was played that a speaker made up, since this browser did not hand it over in time, 0 to 1. */
  readonly starved: number | undefined;
  /** Share of the pictures that came whole and were not shown in time, 0 to 1. */
  readonly late: number | undefined;
}

export interface Sample {
  readonly send: SendSample | undefined;
  readonly receive: ReceiveSample | undefined;
  /** The browser's word for the network, `wifi` or `cellular`; empty where it says nothing. Another word: another network. */
  readonly network: string;
  /** The person asked the browser to save traffic. */
  readonly saveData: boolean;
  /** How late this browser came to look, or how long it took to say what it measured: a device that is busy is late with everything. */
  readonly lagMs: number;
  /** The thinnest sound that somebody who hears us asked for, bits a second. */
  readonly asked: number | undefined;
}
