// The keys of connection NAME, all with the prefix tidemark:{NAME}: (ENTRY as it is, "" for the
// connection-wide one):
//   owner           hash    format epoch holder boot_id pid pid_start acquired_at (of the last
//   holder) lease           string  epoch, expires; gone: nobody holds the connection entries set
//   every ENTRY there is audit           list    newest first (redis_version.cc) head:ENTRY hash
//   schema table version chain anchor bytes (of the bodies) versions:ENTRY  hash    version ->
//   value (redis_version.cc) order:ENTRY     zset    version, by version bodies:ENTRY    hash
//   body_hash -> body; equal bodies are stored once uses:ENTRY      hash    body_hash -> how many
//   versions have it damaged:ENTRY   hash    version:repaired_by -> value, set aside by a repair
#include "state/redis_scripts.h"

namespace tidemark {

const char kRedisAcquire[] = R"lua(
local p = KEYS[1]
local held = redis.call('GET', p .. 'lease')
local epoch = redis.call('HGET', p .. 'owner', 'epoch') or '0'
local active = held and held ~= ARGV[7]
if active and ARGV[6] ~= '1' then return {'held'} end
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000000 + t[2])
local before = redis.call('HMGET', p .. 'owner', 'holder', 'pid')
local new = redis.call('HINCRBY', p .. 'owner', 'epoch', 1)
redis.call('HSET', p .. 'owner', 'format', '1', 'holder', ARGV[1], 'boot_id', ARGV[2], 'pid',
           ARGV[3], 'pid_start', ARGV[4], 'acquired_at', now)
redis.call('SET', p .. 'lease', string.format('%.0f', new), 'PX', ARGV[5])
if active then
  local function net(s) return string.len(s) .. ':' .. s .. ',' end
  local text = 'taken over from ' .. (before[1] or 'nobody') .. ' (pid ' .. (before[2] or '0') ..
               ', epoch ' .. epoch .. ') as epoch ' .. string.format('%.0f', new) .. '.'
  redis.call('LPUSH', p .. 'audit',
             net(now) .. net('take-over') .. net('') .. net(ARGV[1]) .. net(text))
end
return {'ok', new}
)lua";

const char kRedisRenew[] = R"lua(
local p = KEYS[1]
if redis.call('HGET', p .. 'owner', 'epoch') ~= ARGV[1] then return {'fenced'} end
redis.call('SET', p .. 'lease', ARGV[1], 'PX', ARGV[2])
return {'ok'}
)lua";

const char kRedisRelease[] = R"lua(
local p = KEYS[1]
if redis.call('HGET', p .. 'owner', 'epoch') ~= ARGV[1] then return {'fenced'} end
redis.call('DEL', p .. 'lease')
return {'ok'}
)lua";

const char kRedisAppend[] = R"lua(
local p = KEYS[1]
-- Invariant I3: only the holder of the newest epoch writes.
if redis.call('HGET', p .. 'owner', 'epoch') ~= ARGV[1] then return {'fenced'} end
local at = 7
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end
local function wrong(key, kind)
  local is = redis.call('TYPE', key)['ok']
  return is ~= 'none' and is ~= kind
end
if wrong(p .. 'entries', 'set') then return {'damaged', p .. 'entries'} end
if wrong(p .. 'audit', 'list') then return {'damaged', p .. 'audit'} end

-- First everything is checked.
local appends = {}
local heads = {}
for i = 1, tonumber(ARGV[5]) do
  local a = {entry = take(), schema = take(), table = take(), expected = take(),
             expected_chain = take(), version = take(), chain = take(), value = take(),
             body_hash = take(), body = take(), has_anchor = take(), anchor = take(), aside = {}}
  for j = 1, tonumber(take()) do a.aside[j] = take() end
  for kind, name in pairs({['head:'] = 'hash', ['versions:'] = 'hash', ['order:'] = 'zset',
                           ['bodies:'] = 'hash', ['uses:'] = 'hash', ['damaged:'] = 'hash'}) do
    if wrong(p .. kind .. a.entry, name) then return {'damaged', p .. kind .. a.entry} end
  end
  local head = heads[a.entry]
  if head == nil then
    local read = redis.call('HMGET', p .. 'head:' .. a.entry, 'version', 'chain')
    head = {version = read[1] or '0', chain = read[2] or ''}
  end
  if head.version ~= a.expected or head.chain ~= a.expected_chain then
    return {'diverged', a.entry}
  end
  heads[a.entry] = {version = a.version, chain = a.chain}
  appends[i] = a
end

-- The chain value and body hash of a stored version; nil where they cannot be read.
local function hashes(value)
  local found = {}
  local from = 1
  for i = 1, 2 do
    local colon = value and string.find(value, ':', from, true)
    local size = colon and tonumber(string.sub(value, from, colon - 1))
    if not size then return nil end
    found[i] = string.sub(value, colon + 1, colon + size)
    from = colon + size + 2
  end
  return found
end
local function number(text) return tonumber(text or '0') or 0 end
local function drop_body(entry, body_hash)
  local uses = number(redis.call('HGET', p .. 'uses:' .. entry, body_hash))
  if uses > 1 then
    redis.call('HSET', p .. 'uses:' .. entry, body_hash, uses - 1)
    return 0
  end
  local bytes = redis.call('HSTRLEN', p .. 'bodies:' .. entry, body_hash)
  redis.call('HDEL', p .. 'uses:' .. entry, body_hash)
  redis.call('HDEL', p .. 'bodies:' .. entry, body_hash)
  return bytes
end

-- Then everything is written.
for _, a in ipairs(appends) do
  local e = a.entry
  local bytes = number(redis.call('HGET', p .. 'head:' .. e, 'bytes'))
  for _, version in ipairs(a.aside) do
    local value = redis.call('HGET', p .. 'versions:' .. e, version)
    redis.call('HSET', p .. 'damaged:' .. e, version .. ':' .. a.version, value or '')
    redis.call('HDEL', p .. 'versions:' .. e, version)
    redis.call('ZREM', p .. 'order:' .. e, version)
  end
  redis.call('SADD', p .. 'entries', e)
  redis.call('HSET', p .. 'versions:' .. e, a.version, a.value)
  redis.call('ZADD', p .. 'order:' .. e, a.version, a.version)
  if redis.call('HEXISTS', p .. 'bodies:' .. e, a.body_hash) == 0 then
    bytes = bytes + string.len(a.body)
  end
  redis.call('HSET', p .. 'bodies:' .. e, a.body_hash, a.body)
  redis.call('HSET', p .. 'uses:' .. e, a.body_hash,
             number(redis.call('HGET', p .. 'uses:' .. e, a.body_hash)) + 1)
  local anchor = redis.call('HGET', p .. 'head:' .. e, 'anchor') or ''
  if a.has_anchor == '1' then anchor = a.anchor end

  -- Retention. What the rollback horizon may still need stays, however large.
  local newest = number(a.version)
  while true do
    local oldest = redis.call('ZRANGE', p .. 'order:' .. e, 0, 0)[1]
    if number(oldest) >= newest - number(ARGV[4]) or
       (newest - number(oldest) < number(ARGV[2]) and bytes <= number(ARGV[3])) then
      break
    end
    local old = hashes(redis.call('HGET', p .. 'versions:' .. e, oldest))
    if not old then break end
    anchor = old[1]
    bytes = bytes - drop_body(e, old[2])
    redis.call('HDEL', p .. 'versions:' .. e, oldest)
    redis.call('ZREM', p .. 'order:' .. e, oldest)
  end
  redis.call('HSET', p .. 'head:' .. e, 'schema', a.schema, 'table', a.table, 'version', a.version,
             'chain', a.chain, 'anchor', anchor, 'bytes', string.format('%.0f', bytes))
end
for i = 1, tonumber(ARGV[6]) do redis.call('LPUSH', p .. 'audit', take()) end
return {'ok'}
)lua";

}  // namespace tidemark
