/**
 * The scripts that Redis runs. Each is one step on one slot, on the store's own clock. Numbers above 2^53 never occur: Terms and
 * versions are microseconds since 1970, or one more than the last.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  readonly sha1: string;
}

const CLOCK = `
local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]
local now = math.floor(us / 1000)
local function text(number) return string.format('%.0f', number) end
`;

function script(body: string): Script {
  const text = CLOCK + body;
  // SHA-1 is how Redis names scripts.
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/**
 * KEYS record, marker · ARGV owner, ttl, settle (how long a store that forgot waits for its owners), careful (how long this
 * process waits for them since it found the store again), memory (how long a Term is remembered).
 * Answers 1 term expiresAt isFirst | 0 owner term expiresAt | 2 retryMs. A released record has expiry 0.
 */
export const ACQUIRE = script(`
local held = redis.call('HMGET', KEYS[1], 'owner', 'term', 'expiry')
local since = tonumber(redis.call('GET', KEYS[2]) or '')
if not since or since > now then
  redis.call('SET', KEYS[2], text(now))
  since = now
end
local term, expiry = tonumber(held[2] or '0'), tonumber(held[3] or '0')
if expiry > now and held[1] ~= ARGV[1] then return {0, held[1], term, expiry} end
if expiry <= now then
  local wait = 0
  if not held[2] or expiry > 0 then wait = tonumber(ARGV[4]) end
  if not held[2] then wait = math.max(wait, since + tonumber(ARGV[3]) - now) end
  if wait > 0 then return {2, wait} end
  term = math.max(term + 1, us)
end
expiry = now + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'term', text(term), 'expiry', text(expiry))
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[2]), tonumber(ARGV[5])))
return {1, term, expiry, held[2] and 0 or 1}
`);

/**
 * KEYS record · ARGV owner, term, ttl, memory. A smaller Term in the store is older than the caller's, whatever it says: the
 * store lost what came after it.
 */
export const RENEW = script(`
local held = redis.call('HMGET', KEYS[1], 'owner', 'term', 'expiry')
local mine, known = tonumber(ARGV[2]), tonumber(held[2] or '0')
if known > mine then return 0 end
if known == mine and (held[1] ~= ARGV[1] or held[3] == '0') then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'term', ARGV[2], 'expiry', text(now + tonumber(ARGV[3])))
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), tonumber(ARGV[4])))
return 1
`);

/** KEYS record · ARGV owner, term. */
export const RELEASE = script(`
local held = redis.call('HMGET', KEYS[1], 'owner', 'term', 'expiry')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] or held[3] == '0' then return 0 end
redis.call('HSET', KEYS[1], 'expiry', '0')
return 1
`);

/** KEYS record. */
export const READ = script(`
local held = redis.call('HMGET', KEYS[1], 'owner', 'term', 'expiry')
if not held[2] or tonumber(held[3]) <= now then return {} end
return {held[1], tonumber(held[2]), tonumber(held[3])}
`);

/** KEYS marker, probe. Shows that the slot takes writes; answers 1 when it remembers since when, 0 when it is new or has forgotten. */
export const PROBE = script(`
redis.call('SET', KEYS[2], '1', 'PX', 60000)
return redis.call('SET', KEYS[1], text(now), 'NX') and 0 or 1
`);

/** KEYS values, names, expiries, meta · ARGV channel … Forgets what has expired, a few at a time. Deletes come first: a full store allows them. */
const DIRECTORY = `
local function found(key)
  local entry = redis.call('HGET', KEYS[1], key)
  if not entry then return nil end
  local version, expiry, value = string.match(entry, '^(%d+) (%d+) (.*)$')
  return tonumber(version), tonumber(expiry), value
end
local function drop(key)
  redis.call('HDEL', KEYS[1], key)
  redis.call('ZREM', KEYS[2], key)
  redis.call('ZREM', KEYS[3], key)
end
local function stamp(field)
  local version = math.max(tonumber(redis.call('HGET', KEYS[4], field) or '0') + 1, us)
  redis.call('HSET', KEYS[4], field, text(version))
  return version
end
local function changed()
  redis.call('SPUBLISH', ARGV[1], text(stamp('changed')))
end
local function sweep()
  local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', text(now), 'LIMIT', 0, 128)
  for _, key in ipairs(old) do drop(key) end
  if #old > 0 then changed() end
end
`;

/** ARGV channel, key, value, ttl, entries, memory. Answers the version, or 0 when there are too many. */
export const PUT = script(`${DIRECTORY}
sweep()
local _, _, before = found(ARGV[2])
if before == nil and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then return 0 end
local version, expiry = stamp('version'), now + tonumber(ARGV[4])
redis.call('HSET', KEYS[1], ARGV[2], text(version) .. ' ' .. text(expiry) .. ' ' .. ARGV[3])
redis.call('ZADD', KEYS[3], text(expiry), ARGV[2])
if before == nil then redis.call('ZADD', KEYS[2], 0, ARGV[2]) end
if before ~= ARGV[3] then changed() end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[6]) end
return version
`);

/** ARGV channel, key, version. */
export const REMOVE = script(`${DIRECTORY}
local version, expiry = found(ARGV[2])
if version ~= tonumber(ARGV[3]) or expiry <= now then return 0 end
drop(ARGV[2])
changed()
return 1
`);

/** ARGV channel. Answers when the shard last changed, as a text. */
export const SWEEP = script(`${DIRECTORY}
sweep()
return redis.call('HGET', KEYS[4], 'changed') or '0'
`);

/** ARGV channel, prefix, after, limit. Answers the last name looked at ('' at the end), then key, version, value of each entry. */
export const LIST = script(`${DIRECTORY}
local first = '[' .. ARGV[2]
if ARGV[3] ~= '' then first = '(' .. ARGV[3] end
local names = redis.call('ZRANGEBYLEX', KEYS[2], first, '[' .. ARGV[2] .. '\\255', 'LIMIT', 0, ARGV[4])
local answer = {''}
if #names == tonumber(ARGV[4]) then answer[1] = names[#names] end
for _, key in ipairs(names) do
  local version, expiry, value = found(key)
  if version and expiry > now then
    answer[#answer + 1] = key
    answer[#answer + 1] = version
    answer[#answer + 1] = value
  end
end
return answer
`);

/** KEYS journal · ARGV at, ttl (0: none), entry … Answers 1 size, or 0 size where it does not end there. */
export const APPEND = script(`
local size = redis.call('LLEN', KEYS[1])
if size ~= tonumber(ARGV[1]) then return {0, size} end
for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
if ARGV[2] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {1, size + #ARGV - 2}
`);

/** KEYS journal · ARGV from, length. The next entries, one at least and not many more characters than that. */
export const READ_JOURNAL = script(`
local answer, at, left = {}, tonumber(ARGV[1]), tonumber(ARGV[2])
while left > 0 do
  local entries = redis.call('LRANGE', KEYS[1], at, at + 15)
  for _, entry in ipairs(entries) do
    if left > 0 then
      answer[#answer + 1] = entry
      left = left - #entry - 1
    end
  end
  if #entries < 16 then return answer end
  at = at + 16
end
return answer
`);

/** KEYS journal. */
export const REMOVE_JOURNAL = script(`
return redis.call('DEL', KEYS[1])
`);
