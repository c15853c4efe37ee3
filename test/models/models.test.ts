/**
 * The models hold, and would be found out if they did not: each is searched to the end, then broken in one place at a time, and
 * Spin must find every break. `VEILCAST_LONG=1` searches further.
 */
import { describe, expect, it } from 'vitest';
import { check, type ModelRun } from './spin.ts';

const LONG = process.env['VEILCAST_LONG'] === '1';
/** A search of a few seconds; the machine may be busy. */
const LIMIT_MS = LONG ? 3_600_000 : 100_000;

interface Case extends Omit<ModelRun, 'limitMs'> {
  readonly what: string;
}

const HOLDS: readonly Case[] = [
  {
    what: 'two members and a dishonest one under a server that lies',
    model: 'epochs',
    defines: ['HONEST=2', `NODES=${LONG ? 5 : 4}`],
    memoryMb: LONG ? 6_000 : 1_500,
  },
  {
    what: 'three members, one of whom enters, and a dishonest one',
    model: 'epochs',
    defines: [`HONEST=3`, `NODES=${LONG ? 4 : 3}`],
  },
  { what: 'members who come, go and lose messages', model: 'delivery', cycles: true, hasty: !LONG },
  {
    what: 'members of whom one falls silent',
    model: 'delivery',
    defines: ['SILENT=7', 'LOSSES=0', `LEAVES=${LONG ? 2 : 1}`],
    cycles: true,
    hasty: !LONG,
  },
  {
    what: 'a crowd that a member lets in, well or badly',
    model: 'delivery',
    defines: ['CROWD_MIN=1', 'WRONGS=1', `HURRIES=${LONG ? 1 : 0}`],
    cycles: true,
    hasty: !LONG,
  },
  {
    what: 'a crowd and a member who falls silent',
    model: 'delivery',
    defines: ['CROWD_MIN=1', 'SILENT=7', 'LOSSES=0', 'HURRIES=0'],
    cycles: true,
    hasty: !LONG,
  },
  ...(LONG
    ? [
        {
          what: 'two who are let in at once',
          model: 'delivery',
          defines: ['CROWD_MIN=2', 'PEERS=4', 'WRONGS=1', 'HURRIES=0', 'LEAVES=0'],
          cycles: true,
          memoryMb: 6_000,
        },
      ]
    : []),
  { what: 'owners, a store and receivers', model: 'leases', defines: [`FAULTS=${LONG ? 3 : 2}`], memoryMb: 3_000 },
];

/** What is broken, and what Spin must say of it. */
const BROKEN: readonly (Case & { readonly says: RegExp })[] = [
  {
    what: 'a Commit without a path is taken',
    model: 'epochs',
    defines: ['HONEST=2', 'NODES=4', 'NO_PATH_RULE'],
    says: /knows/,
  },
  {
    what: 'a Commit applies to any state',
    model: 'epochs',
    defines: ['HONEST=3', 'NODES=4', 'NO_CONFIRMATION'],
    says: /shown/,
  },
  {
    what: 'a Commit that lost is applied',
    model: 'epochs',
    defines: ['HONEST=2', 'NODES=4', 'APPLY_LOSER'],
    says: /refused/,
  },
  {
    what: 'who is let in is not shown',
    model: 'epochs',
    defines: ['HONEST=2', 'NODES=4', 'ADDS_UNSEEN'],
    says: /knows|shown/,
  },
  {
    what: 'the other side of a fork is passed over',
    model: 'epochs',
    defines: ['HONEST=2', 'NODES=4', 'IGNORE_OTHER_SIDE'],
    says: /otherSide/,
  },
  {
    what: 'no standby',
    model: 'delivery',
    defines: ['SILENT=7', 'LOSSES=0', 'NO_STANDBY'],
    cycles: true,
    says: /silentOnes/,
  },
  {
    what: 'a silent committer is waited for without end',
    model: 'delivery',
    defines: ['SILENT=7', 'LOSSES=0', 'NO_PATIENCE'],
    cycles: true,
    says: /non-progress cycle/,
  },
  {
    what: 'two Commits win one Epoch',
    model: 'delivery',
    defines: ['SILENT=7', 'LOSSES=0', 'TWO_WINNERS'],
    cycles: true,
    says: /maker/,
  },
  {
    what: 'a turn outlives its Epoch',
    model: 'delivery',
    defines: ['SILENT=7', 'LOSSES=0', 'TICKET_KEPT'],
    cycles: true,
    says: /evicted/,
  },
  {
    what: 'who is to let people in is waited for without end',
    model: 'delivery',
    defines: ['CROWD_MIN=1', 'SILENT=7', 'LOSSES=0', 'HURRIES=0', 'NO_DOOR_PATIENCE'],
    cycles: true,
    says: /non-progress cycle/,
  },
  {
    what: 'who was let in and not told does not ask again',
    model: 'delivery',
    defines: ['CROWD_MIN=1', 'LEAVES=0', 'HURRIES=0', 'NO_ENTER_AGAIN'],
    cycles: true,
    says: /atEpoch/,
  },
  {
    what: 'people are let in whom nobody asked for any more',
    model: 'delivery',
    defines: ['CROWD_MIN=1', 'HURRIES=0', 'LOSSES=0', 'ANY_ADMISSION'],
    cycles: true,
    says: /members==/,
  },
  { what: 'nobody asks to come back', model: 'delivery', defines: ['NO_REJOIN'], cycles: true, says: /atEpoch/ },
  { what: 'receivers do not look at Terms', model: 'leases', defines: ['NO_TERM_CHECK'], says: /highestTaken/ },
  { what: 'Terms are counted in a store that forgets', model: 'leases', defines: ['TERM_COUNTS'], says: /taken/ },
  { what: 'clocks that differ by more than a failover takes', model: 'leases', defines: ['CLOCK_BACK'], says: /taken/ },
  { what: 'a store that forgot gives to whoever asks', model: 'leases', defines: ['NO_SETTLE'], says: /believes/ },
  { what: 'a process that starts again keeps its name', model: 'leases', defines: ['SAME_NAME'], says: /taken/ },
  { what: 'renewals are never refused', model: 'leases', defines: ['RENEW_ALWAYS'], says: /believes/ },
  { what: 'Leases do not expire', model: 'leases', defines: ['NEVER_EXPIRES'], says: /believes/ },
];

describe('the models', () => {
  it.each(HOLDS)('$model holds: $what', { timeout: LIMIT_MS + 60_000 }, async (run) => {
    const { states, transitions, depth, violation, complete, tookMs, output } = await check({
      ...run,
      limitMs: LIMIT_MS,
    });
    const settings = run.defines?.join(' ') ?? '';
    console.log(
      `${run.model} ${settings}: ${states} states, ${transitions} transitions, depth ${depth}, ${(tookMs / 1000).toFixed(1)} s`,
    );
    expect(violation, output).toBeUndefined();
    expect(complete, output).toBe(true);
    expect(states).toBeGreaterThan(10_000);
  });
});

describe('a model that is broken is found out', () => {
  it.each(BROKEN)('$model: $what', { timeout: LIMIT_MS + 60_000 }, async ({ says, ...run }) => {
    const { violation, output } = await check({ ...run, hasty: true, limitMs: LIMIT_MS });
    expect(violation, output).toMatch(says);
  });
});
