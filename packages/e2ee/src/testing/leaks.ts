/**
 * Whatever somebody can come to know who kept every state it ever had, however it left them, and to whom a server gives
 * everything that ever went over the wire. No rule of a client is in the way: this opens what opens.
 */
import { derive, type IdealWorld, publicOf } from './ideal.ts';
import { type Commit, type Message, nextSecret, secretFor } from './reference-model.ts';
import type { ReferenceHeld } from './reference.ts';

/** The secrets of all Epochs that these states and these bytes lead to. */
export function derivable(
  world: IdealWorld,
  states: readonly ReferenceHeld[],
  wire: readonly (Message | undefined)[],
): ReadonlySet<string> {
  /** By group and Epoch. */
  const known = new Map<string, Set<string>>();
  const learn = (at: string, secret: string): void => void known.set(at, (known.get(at) ?? new Set()).add(secret));
  const keys = new Map<string, string>();
  for (const { group, now, former, decryption, init, removed } of states) {
    for (const key of [decryption, ...(init === undefined ? [] : [init])]) keys.set(publicOf(key), key);
    if (!removed) learn(`${group} ${now.epoch}`, now.secret);
    if (former) learn(`${group} ${former.epoch}`, former.secret);
  }
  const commits: Commit[] = [];
  const transcripts = new Map<string, Set<string>>();
  for (const message of wire) {
    if (message?.kind === 'welcome') {
      for (const box of Object.values(message.secrets)) {
        const secret = world.open(keys.get(box.to) ?? '', box);
        if (secret !== undefined) learn(`${message.group} ${message.epoch}`, secret);
      }
    }
    if (message?.kind === 'commit') commits.push(message);
    if (message?.kind !== 'groupInfo') continue;
    const at = `${message.group} ${message.epoch}`;
    transcripts.set(at, (transcripts.get(at) ?? new Set()).add(message.transcript));
  }
  for (const commit of commits.toSorted((a, b) => a.epoch - b.epoch)) {
    const before = known.get(`${commit.group} ${commit.epoch}`);
    const boxes = Object.values(commit.path ?? {});
    const opened = boxes.map((box) => world.open(keys.get(box.to) ?? '', box)).find((content) => content !== undefined);
    // Who made it has what it made among its states; nobody else gets anything out of it without a box of its own.
    if (opened === undefined || !before) continue;
    const after = `${commit.group} ${commit.epoch + 1}`;
    for (const secret of before) {
      const given = commit.init ? world.open(secretFor('external', secret), commit.init) : secretFor('init', secret);
      if (given === undefined) continue;
      for (const transcript of transcripts.get(after) ?? []) {
        const next = nextSecret(given, opened, transcript);
        if (commit.confirmation === derive(secretFor('confirmation', next), transcript)) learn(after, next);
      }
    }
  }
  return new Set([...known.values()].flatMap((secrets) => [...secrets]));
}
