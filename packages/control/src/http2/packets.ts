/** Frames in Packets: each after its length as a varint, as protobuf's own size-delimited streams have it. */
import { create } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { ClusterError } from '@veilcast/protocol';
import { PacketSchema, type Packet } from '../gen/veilcast/control/v1/carrier_pb.ts';

/** Longest varint of a length below 2^32. */
export const LENGTH_BYTES_MAX = 5;

export function packetOf(frames: readonly Uint8Array[]): Packet {
  const writer = new BinaryWriter();
  for (const frame of frames) writer.bytes(frame);
  return create(PacketSchema, { frames: writer.finish() });
}

/** One Frame after the other, cut out when it is asked for. @throws ClusterError MALFORMED where a length leads beyond the end */
export function* framesOf(packet: Packet): Generator<Uint8Array> {
  const reader = new BinaryReader(packet.frames);
  while (reader.pos < reader.len) yield next(reader);
}

function next(reader: BinaryReader): Uint8Array {
  try {
    return reader.bytes();
  } catch (cause) {
    throw new ClusterError('MALFORMED', 'a Packet that holds no Frames', { cause });
  }
}
