/** Calls at most once in a span of time: the first one at once, the others together at its end. */

export interface Paced {
  readonly call: () => void;
  /** What waits is not called any more. */
  readonly cancel: () => void;
}

export function pace(listener: () => void, everyMs: number): Paced {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const rest = (): void => {
    timer = undefined;
    if (!again) return;
    again = false;
    call();
  };
  const call = (): void => {
    if (timer !== undefined) {
      again = true;
      return;
    }
    timer = setTimeout(rest, everyMs);
    listener();
  };
  return {
    call,
    cancel() {
      clearTimeout(timer);
      timer = undefined;
      again = false;
    },
  };
}
