/** Tells the group our newest head of the log now and then, and hears theirs: a server that shows two logs shows them to one call. */
import { fromBase64Url, toBase64Url } from '@veilcast/e2ee/identity';
import type { Clock } from '@veilcast/protocol';
import type { PeopleIdentities } from './people-identities.ts';
import type { Talk } from './talk.ts';

/** Between two tellings of one member, when there is something new. 64 members: some 5 kB a second in all. */
const EVERY_MS = 60_000;
/** The first one: soon, and not everybody at once. */
const FIRST_MS = { least: 2_000, more: 10_000 };

export interface LogGossipOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly talk: Pick<Talk, 'on' | 'say'>;
  readonly identities: Pick<PeopleIdentities, 'headSeen' | 'latestHead'>;
}

/** Returns how to stop. */
export function gossipHeads({ clock, random, talk, identities }: LogGossipOptions): () => void {
  let told: Uint8Array | undefined;
  let cancel: () => void;
  const tell = (): void => {
    const head = identities.latestHead;
    cancel = clock.after(EVERY_MS, tell);
    if (head === undefined || head === told) return;
    told = head;
    // Without success somebody else tells it, or the next one is told.
    talk.say('logHead', { head: toBase64Url(head) }).catch(() => undefined);
  };
  cancel = clock.after(FIRST_MS.least + random() * FIRST_MS.more, tell);
  const stop = talk.on('logHead', ({ head }, { by }) => {
    try {
      identities.headSeen(fromBase64Url(head), by);
    } catch {
      // No base64url: as good as a head that nobody signed.
      identities.headSeen(new Uint8Array(), by);
    }
  });
  return () => {
    cancel();
    stop();
  };
}
