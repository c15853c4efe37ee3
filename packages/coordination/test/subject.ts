/** Views over a real Redis for the contract suite. Time to live is long; a test makes records older instead of waiting. */
import { redisCoordination, type RedisPlace } from '@veilcast/coordination/redis';
import type { CoordinationSubject } from '@veilcast/coordination/contract';
import { seededRandom } from '@veilcast/testkit';
import { until, type RedisServer } from '@veilcast/testkit/redis';
import type { Clock } from '@veilcast/protocol';
import { setTimeout as wait } from 'node:timers/promises';

/** A wall clock that is wrong by so much; what is done again and again is done 20 times as often. */
export function skewedClock(skewMs: number): Clock {
  return {
    now: () => performance.now() + skewMs,
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    every: (ms, run) => {
      const timer = setInterval(run, ms / 20);
      return () => clearInterval(timer);
    },
  };
}

/** Makes everything that expires, and the memory of when the store was new, so many ms older. */
const AGE = `
local ms = tonumber(ARGV[1])
local function text(number) return string.format('%.0f', number) end
for _, key in ipairs(redis.call('KEYS', '*')) do
  if key:find(':since$') then redis.call('SET', key, text(tonumber(redis.call('GET', key)) - ms))
  elseif key:find(':l:') and redis.call('TYPE', key).ok == 'hash' then
    local expiry = tonumber(redis.call('HGET', key, 'expiry'))
    if expiry > 0 then redis.call('HSET', key, 'expiry', text(expiry - ms)) end
  elseif key:find(':values$') then
    for _, name in ipairs(redis.call('HKEYS', key)) do
      local version, expiry, value = string.match(redis.call('HGET', key, name), '^(%d+) (%d+) (.*)$')
      redis.call('HSET', key, name, version .. ' ' .. text(tonumber(expiry) - ms) .. ' ' .. value)
    end
  elseif key:find(':expiries$') then
    for _, name in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, -ms, name) end
  end
end
return 1
`;

const MARKED = `return #redis.call('KEYS', '*:since')`;
const LEASE_SHARDS = 256;

let prefixes = 0;

/** Three processes over one store, whose clocks do not agree. `toldWithinMs`: for stores that tell over several connections. */
export async function redisSubject(
  place: RedisPlace,
  servers: readonly RedisServer[],
  toldWithinMs = 0,
): Promise<CoordinationSubject> {
  await Promise.all(servers.map((server) => server.cli('FLUSHALL')));
  const keyPrefix = `t${(prefixes += 1)}`;
  const open = (skewMs: number, seed: number) =>
    redisCoordination({
      place,
      clock: skewedClock(skewMs),
      random: seededRandom(seed),
      keyPrefix,
      report: () => undefined,
    });
  const views = [open(0, 1), open(3_600_000, 2), open(-86_400_000, 3)] as const;
  await until(() => views.every((view) => view.reachable()));
  const age = async (ms: number): Promise<void> => {
    await Promise.all(servers.map((server) => server.cli('EVAL', AGE, '0', `${ms}`)));
  };
  let barriers = 0;
  /** What was told before has arrived everywhere. */
  const told = async (): Promise<void> => {
    const topic = `barrier-${(barriers += 1)}`;
    let heard = 0;
    const stops = views.flatMap((view) => {
      try {
        return [view.bus.subscribe(topic, () => (heard += 1))];
      } catch {
        return [];
      }
    });
    const deadline = performance.now() + 20_000;
    while (heard < stops.length && performance.now() < deadline) {
      await views[2].bus.publish(topic, Uint8Array.of(0));
      await wait(2);
    }
    for (const stop of stops) stop();
    await wait(toldWithinMs);
  };
  // A store that is new keeps others waiting as one that forgot.
  await age(10_000_000);
  return {
    views,
    advance: async (ms) => {
      if (ms > 0) await age(Math.ceil(ms));
      else await told();
    },
    forget: async () => {
      await Promise.all(servers.map((server) => server.cli('FLUSHALL')));
      // It counts from when somebody notices; here everybody looks 20 times a second.
      await until(async () => {
        const marked = await Promise.all(servers.map((server) => server.cli('EVAL', MARKED, '0')));
        return marked.reduce((sum, count) => sum + Number(count), 0) === LEASE_SHARDS;
      });
    },
    close: async () => {
      await Promise.all(views.map((view) => view.close()));
    },
  };
}
