/** ClusterError ⇄ Failure: the one place where errors cross the control wire. */
import { create } from '@bufbuild/protobuf';
import { ClusterError, ErrorCode } from '@veilcast/protocol';
import { FailureSchema, type Failure } from './gen/veilcast/control/v1/control_pb.ts';

const DETAIL_MAX = 300;
const RETRY_MAX_MS = 600_000;

/** What is told of anything that was thrown; a bug's own words stay here. */
export function toFailure(thrown: unknown): Failure {
  const wire = ClusterError.of(thrown).toWire();
  return create(FailureSchema, { code: wire.code, detail: wire.detail ?? '', retryMs: wire.retryMs ?? 0 });
}

/** The remote's refusal as an exception; a code of a newer version becomes INTERNAL. */
export function fromFailure(failure: Failure): ClusterError {
  const code = ErrorCode.safeParse(failure.code);
  const detail = failure.detail === '' ? undefined : failure.detail.slice(0, DETAIL_MAX);
  if (!code.success) return new ClusterError('INTERNAL', detail);
  return new ClusterError(
    code.data,
    detail,
    failure.retryMs === 0 ? {} : { retryMs: Math.min(failure.retryMs, RETRY_MAX_MS) },
  );
}
