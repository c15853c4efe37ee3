/** Keeps this process's Registration in the Directory for as long as it lives. */
import { REGISTRATION_TTL_MS, registrationKey, type Registration } from '@veilcast/control';
import type { Entry } from '@veilcast/coordination';
import type { ServiceContext } from './service.ts';

/** How long `close` waits for the store. Longer: a silent store holds the process up. Shorter: the entry stays until it expires. */
const CLOSE_WAIT_MS = 1_000;

export interface Registered {
  /** Writes another text at once, with the same process and incarnation. */
  change(registration: Registration): Promise<void>;
  /** Takes it out, so that nobody dials a process that is gone. */
  close(): Promise<void>;
}

/** A store that cannot be reached is tried again with the next renewal, and logged. */
export async function register(
  context: Pick<ServiceContext, 'clock' | 'coordination' | 'log'>,
  registration: Registration,
): Promise<Registered> {
  const { directory } = context.coordination;
  const key = registrationKey(registration.kind, registration.processId);
  let text = JSON.stringify(registration);
  let entry: Entry | undefined;
  let closed = false;
  let isFailing = false;
  // One after the other, or a slow renewal could write after the removal.
  let last: Promise<void> = Promise.resolve();

  const put = async (): Promise<void> => {
    if (closed) return;
    try {
      entry = await directory.put(key, text, REGISTRATION_TTL_MS);
      isFailing = false;
    } catch (error) {
      // Once: it is tried every second for as long as the store is away.
      if (!isFailing) context.log.warn({ err: error }, 'registration not written; tried again until the store answers');
      isFailing = true;
    }
  };
  let queued = false;
  const renew = (): Promise<void> => {
    // A store that does not answer must not collect renewals.
    if (queued) return last;
    queued = true;
    last = last.then(() => {
      queued = false;
      return put();
    });
    return last;
  };
  const remove = async (): Promise<void> => {
    await last;
    try {
      if (entry !== undefined) await directory.remove(entry);
    } catch (error) {
      context.log.warn({ err: error }, 'registration not removed; it will expire');
    }
  };
  await renew();
  const stop = context.clock.every(REGISTRATION_TTL_MS / 3, () => void renew());
  return {
    change: async (changed) => {
      text = JSON.stringify(changed);
      await renew();
    },
    close: async () => {
      if (closed) return;
      closed = true;
      stop();
      await new Promise<void>((resolve) => {
        const stopTimer = context.clock.after(CLOSE_WAIT_MS, resolve);
        void remove().then(() => {
          stopTimer();
          resolve();
        });
      });
    },
  };
}
