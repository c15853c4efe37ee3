/** The one request that is answered, by Connect's own handler. Connect's adapter is not used: it writes to the console. */
import { createConnectRouter, createContextKey, createContextValues } from '@connectrpc/connect';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import { ClusterError } from '@veilcast/protocol';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2';
import { Carriage, type Packet } from '../gen/veilcast/control/v1/carrier_pb.ts';
import type { Http2Limits } from './limits.ts';
import { carried } from './shared.ts';

const SESSION = createContextKey<ServerHttp2Session | undefined>(undefined);

export interface AnsweringOptions {
  readonly limits: Http2Limits;
  /** What to send to this session, whose Packets these are. Undefined: it may not speak. */
  readonly take: (session: ServerHttp2Session, packets: AsyncIterable<Packet>) => AsyncIterable<Packet> | undefined;
}

/** Resolves when the stream is over: whether it was one. */
export type Answer = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  session: ServerHttp2Session,
) => Promise<boolean>;

export function answering({ limits, take }: AnsweringOptions): Answer {
  const router = createConnectRouter({
    grpc: false,
    grpcWeb: false,
    acceptCompression: [],
    readMaxBytes: carried.packetBytesMax(limits),
  });
  router.service(Carriage, {
    carry: (packets, { values }) => {
      const session = values.get(SESSION);
      const answer = session === undefined ? undefined : take(session, packets);
      if (answer === undefined) throw new ClusterError('FORBIDDEN');
      return answer;
    },
  });
  const [handler] = router.handlers;
  return async (request, response, session) => {
    if (handler === undefined || request.url !== handler.requestPath || request.method !== 'POST') return false;
    const values = createContextValues().set(SESSION, session);
    const answer = await handler(universalRequestFromNodeRequest(request, response, undefined, values));
    if (answer.status !== 200) return false;
    await universalResponseToNodeResponse(answer, response);
    return true;
  };
}
