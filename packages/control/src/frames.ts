/** Frames to bytes and back, which result answers which call, and makers of messages from plain fields. */
import { create, fromBinary, toBinary, type DescMessage, type Message } from '@bufbuild/protobuf';
import { ClusterError } from '@veilcast/protocol';
import type { CallBody, CallName, EventKind, Init, Result, ResultOf } from './channel.ts';
import {
  EventSchema,
  FrameSchema,
  JsonSchema,
  RequestSchema,
  ResponseSchema,
  type Frame,
  type Json,
} from './gen/veilcast/control/v1/control_pb.ts';

export type FrameKind = Exclude<Frame['kind'], { case: undefined }>;
type ResultName = Result['case'];

const answers: { readonly [N in keyof ResultOf]: ResultName } = {
  openPeer: 'openedPeer',
  restartIce: 'restartedIce',
  produce: 'produced',
  consume: 'consumed',
  preparePipe: 'preparedPipe',
  sendOnPipe: 'sentOnPipe',
  place: 'placed',
  getPicture: 'gotPicture',
  witness: 'witnessed',
};

/** The result that answers a call; `done` where there is nothing to say. */
export function answerOf(name: CallName): ResultName {
  return name in answers ? answers[name as keyof ResultOf] : 'done';
}

export function encodeFrame(kind: FrameKind): Uint8Array {
  return toBinary(FrameSchema, create(FrameSchema, { kind }));
}

/** Undefined: these bytes are not a Frame. */
export function decodeFrame(bytes: Uint8Array): FrameKind | undefined {
  try {
    const { kind } = fromBinary(FrameSchema, bytes);
    return kind.case === undefined ? undefined : kind;
  } catch {
    return undefined;
  }
}

function membersOf(schema: DescMessage): Map<string, DescMessage> {
  const members = new Map<string, DescMessage>();
  for (const field of schema.oneofs[0]?.fields ?? []) {
    if (field.message !== undefined) members.set(field.localName, field.message);
  }
  return members;
}

const calls = membersOf(RequestSchema);
const results = membersOf(ResponseSchema);
const events = membersOf(EventSchema);

function make(members: Map<string, DescMessage>, name: string, fields: unknown): Message {
  const schema = members.get(name);
  if (schema === undefined) throw new ClusterError('UNSUPPORTED', `no message ${name}`);
  return create(schema, fields as never);
}

/** A call's message from plain fields. */
export function callBody<N extends CallName>(name: N, fields: Init<CallBody<N>>): CallBody<N> {
  return make(calls, name, fields) as unknown as CallBody<N>;
}

/** A result for `Serve` to return. */
export function resultOf<N extends ResultName>(
  name: N,
  fields: Init<Extract<Result, { case: N }>['value']>,
): Extract<Result, { case: N }> {
  return { case: name, value: make(results, name, fields) } as unknown as Extract<Result, { case: N }>;
}

/** An event for `Channel.emit`. */
export function eventOf<N extends EventKind['case']>(
  name: N,
  fields: Init<Extract<EventKind, { case: N }>['value']>,
): Extract<EventKind, { case: N }> {
  return { case: name, value: make(events, name, fields) } as unknown as Extract<EventKind, { case: N }>;
}

/** mediasoup's own types travel as JSON text. */
export function jsonOf(value: unknown): Json {
  return create(JsonSchema, { text: JSON.stringify(value) });
}

/** Largest JSON text that is parsed. Longer: slower to refuse. Shorter: a picture of a big cluster does not fit. */
export const JSON_TEXT_MAX = 2 * 1024 * 1024;

/**
 * Reads a JSON text by a schema (anything with zod's `parse`).
 * @throws ClusterError MALFORMED, OVERSIZE
 */
export function readJson<T>(json: Json | undefined, schema: { parse(value: unknown): T }): T {
  if (json === undefined) throw new ClusterError('MALFORMED', 'a JSON field is missing');
  if (json.text.length > JSON_TEXT_MAX) throw new ClusterError('OVERSIZE');
  try {
    return schema.parse(JSON.parse(json.text));
  } catch (cause) {
    throw new ClusterError('MALFORMED', 'a JSON field does not fit its schema', { cause });
  }
}
