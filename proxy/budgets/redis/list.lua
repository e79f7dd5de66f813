-- A value of a dynamic list, or a net from which a login is known: KEYS[1] is a
-- zset of values by when they leave.
-- ARGV: 1 time, 2 holds, add, remove or know, 3 value, 4 for how long (0: until
--       it is removed), 5 how many there may be
local call = redis.call
local KEY, WHAT, VALUE = KEYS[1], ARGV[2], ARGV[3]
local GRACE_MS = 60000

local function clock()
    if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
    local t = call('TIME')
    return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function has_room(max)
    if call('ZCARD', KEY) < max then return true end
    call('ZREMRANGEBYSCORE', KEY, '-inf', clock())
    return call('ZCARD', KEY) < max
end

if WHAT == 'remove' then
    return call('ZREM', KEY, VALUE)
end
local score = call('ZSCORE', KEY, VALUE)
if WHAT == 'holds' then
    if not score then return 0 end
    return (score == 'inf' or tonumber(score) > clock()) and 1 or 0
end
if not score and not has_room(tonumber(ARGV[5])) then
    if WHAT ~= 'know' then return -1 end
    call('ZREMRANGEBYRANK', KEY, 0, 0)
end
-- One that is there already stays for the longer of both times.
local at = ARGV[4] == '0' and 'inf' or clock() + tonumber(ARGV[4])
if score ~= 'inf' and
   (at == 'inf' or not score or at > tonumber(score)) then
    call('ZADD', KEY, at, VALUE)
end
local last = call('ZRANGE', KEY, -1, -1, 'WITHSCORES')
if last[2] == 'inf' then
    call('PERSIST', KEY)
else
    call('PEXPIRE', KEY, tonumber(last[2]) - clock() + GRACE_MS)
end
return 1
