/** From bytes of a stranger to a typed message, or an error with a code. The only way in, for both sides. */
import type { z } from 'zod';
import { ClusterError } from './errors.ts';
import { EventEnvelope, EVENTS, isEventName, type AnyEvent } from './events.ts';
import { isRequestName, RequestEnvelope, REQUESTS, type RequestBody, type RequestName } from './requests.ts';

export type AnyRequest = {
  [N in RequestName]: { readonly id: number; readonly name: N; readonly body: RequestBody<N> };
}[RequestName];

/** Names the first place that does not fit and never the value found there: values may be secrets. */
function malformed(error: z.ZodError): ClusterError {
  const issue = error.issues[0];
  return new ClusterError('MALFORMED', issue ? `${issue.path.join('.') || 'message'}: ${issue.code}` : undefined);
}

/** @throws ClusterError MALFORMED or UNSUPPORTED */
export function parseRequest(raw: unknown): AnyRequest {
  const envelope = RequestEnvelope.safeParse(raw);
  if (!envelope.success) throw malformed(envelope.error);
  const { id, name, body } = envelope.data;
  if (!isRequestName(name)) throw new ClusterError('UNSUPPORTED', 'no such request');
  const parsed = REQUESTS[name].body.safeParse(body);
  if (!parsed.success) throw malformed(parsed.error);
  return { id, name, body: parsed.data } as AnyRequest;
}

/** @throws ClusterError MALFORMED or UNSUPPORTED */
export function parseEvent(raw: unknown): AnyEvent & { readonly seq: number } {
  const envelope = EventEnvelope.safeParse(raw);
  if (!envelope.success) throw malformed(envelope.error);
  const { seq, name, body } = envelope.data;
  if (!isEventName(name)) throw new ClusterError('UNSUPPORTED', 'no such event');
  const parsed = EVENTS[name].safeParse(body);
  if (!parsed.success) throw malformed(parsed.error);
  return { seq, name, body: parsed.data } as AnyEvent & { readonly seq: number };
}

/** @throws ClusterError MALFORMED */
export function parseWith<T extends z.ZodType>(schema: T, raw: unknown): z.output<T> {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw malformed(parsed.error);
  return parsed.data;
}
