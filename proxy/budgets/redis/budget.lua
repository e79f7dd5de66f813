-- What all scripts begin with: one budget of the shared store, by the same
-- arithmetic as rules/gcra.c and rules/ledger*.c.
--
-- KEYS[1]            nine numbers in a text, with blanks between: whole units
--                    used, parts of one, of how many parts (the period in
--                    milliseconds), as of when, what drains a period, what is
--                    held, when the first hold may lapse, hundredths of a
--                    boost, and until when it lasts. One text rather than a
--                    hash: it takes Redis half the time.
-- KEYS[1]:holds      zset: each hold as id:cost:member, by when it lapses
-- KEYS[1]:lapsed     zset: those that did, for whoever settles one after all
-- KEYS[1]:told:ID    what was settled at the second attempt, for the first one
--                    that may come late
-- KEYS[1]:members    zset: members of a distinct unit, by when they leave;
--                    those that are held far behind, by when the last hold
--                    lapses
-- KEYS[1]:held       hash: members that are held: "holds until reserved"
--
-- All have one hash tag, so that a cluster keeps them together. ARGV[1] is the
-- time in milliseconds, "" for Redis's own; ARGV[2] how long a hold lives that
-- nobody renews; ARGV[3] what is counted: bucket, set or recipients.
--
-- Numbers are doubles: whole units and parts of a unit are kept apart, so that
-- each stays below 2^53 and nothing is rounded.
local call = redis.call
local KEY = KEYS[1]
local HOLDS, LAPSED = KEY .. ':holds', KEY .. ':lapsed'
local MEMBERS, HELD = KEY .. ':members', KEY .. ':held'
local HOLD_MS, KIND = tonumber(ARGV[2]), ARGV[3]
local UNITS_MAX = 2 ^ 53
local GRACE_MS = 60000 -- keys outlive what they say by so much
local TTL_MAX = 1e15
local LAPSED_KEPT, LAPSED_MS = 1000, 86400000
local MEMBERS_MAX = 10000
local BEHIND = 1e15 -- where scores of members that are held begin
local WRITTEN_TO_MS = 90 * 86400000
local HELD_RETRY_MS = 1000

local function clock()
    if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
    local t = call('TIME')
    return t[1] * 1000 + math.floor(t[2] / 1000)
end
local NOW = clock()

-- The whole part and the rest of a * b / c; a <= 2^53, b < c < 2^35.
local function muldiv(a, b, c)
    local product = a * b
    if product < UNITS_MAX then
        local rest = math.fmod(product, c)
        return (product - rest) / c, rest
    end
    local whole, rest = 0, 0
    for shift = 51, 0, -17 do
        local digit = math.floor(a / 2 ^ shift) % 131072
        local step = rest * 131072 + digit * b
        rest = math.fmod(step, c)
        whole = whole * 131072 + (step - rest) / c
    end
    return whole, rest
end

local NUMBERS = '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$'
local FORMAT = '%d %d %d %d %d %d %d %d %d'

local function read()
    local used, part, period, at, rate, held, lapse, boost, till =
        (call('GET', KEY) or '0 0 0 0 0 0 0 0 0'):match(NUMBERS)
    return {used = tonumber(used), part = tonumber(part),
            period = tonumber(period), at = tonumber(at),
            rate = tonumber(rate), held = tonumber(held),
            lapse = tonumber(lapse), boost = tonumber(boost),
            till = tonumber(till)}
end

local function boost_of(b)
    return b.till > NOW and b.boost or 0
end

-- A key goes when it would be as new.
local function write(b)
    local left = 0
    if b.used > 0 or b.part > 0 then
        left = b.rate > 0 and (b.used + 1) * b.period / b.rate or 0
    end
    if b.lapse > 0 or b.held > 0 then left = math.max(left, HOLD_MS) end
    if boost_of(b) > 0 then left = math.max(left, b.till - NOW) end
    if left == 0 then
        call('DEL', KEY)
        return
    end
    local text = FORMAT:format(b.used, b.part, b.period, b.at, b.rate, b.held,
                               b.lapse, b.boost, b.till)
    call('SET', KEY, text, 'PX',
         math.min(math.ceil(left) + GRACE_MS, TTL_MAX))
end

-- Another period keeps what is used, rounded up by less than one part.
local function rescale(b, period)
    if b.period ~= period and b.period ~= 0 then
        local part, rest = muldiv(period, b.part, b.period)
        if rest > 0 then part = part + 1 end
        if part >= period then
            b.used, part = b.used + 1, part - period
        end
        b.part = part
    end
    b.period = period
end

local function drain(b, amount, period)
    if period == 0 then
        b.used, b.part = 0, 0
        return
    end
    rescale(b, period)
    b.rate = amount
    -- A clock that went back drains nothing.
    if NOW <= b.at then return end
    local elapsed = NOW - b.at
    b.at = NOW
    if b.used == 0 and b.part == 0 then return end
    local rest = math.fmod(elapsed, period)
    local whole = (elapsed - rest) / period * amount
    local units, parts = muldiv(amount, rest, period)
    units = units + whole
    if units > b.used or (units == b.used and parts >= b.part) then
        b.used, b.part = 0, 0
        return
    end
    b.used, b.part = b.used - units, b.part - parts
    if b.part < 0 then b.used, b.part = b.used - 1, b.part + period end
end

local function fits(b, burst, cost)
    if b.held > burst or cost > burst - b.held then return false end
    local room = burst - b.held - cost
    return b.used < room or (b.used == room and b.part == 0)
end

-- A limit while its key is boosted: a number of hundredths.
local function times(amount, percent)
    if percent == 0 or amount == 0 then return amount end
    local rest = percent % 100
    local part = muldiv(amount, rest, 100)
    local product = amount * ((percent - rest) / 100) + part
    if product < 1 then return 1 end
    return math.min(product, UNITS_MAX)
end

-- Functions cost their making at each run: these are for members alone.
local find_member, count_members, put_member, keep_member
if KIND ~= 'bucket' then
    -- The member as it counts now, or nil.
    function find_member(member)
        local packed = call('HGET', HELD, member)
        if packed then
            local holds, stays, reserved = packed:match('(%d+) (%d+) (%d)')
            return {holds = tonumber(holds), stays = tonumber(stays),
                    reserved = reserved == '1'}
        end
        local score = call('ZSCORE', MEMBERS, member)
        score = tonumber(score or 0)
        if score > NOW and score < BEHIND then
            return {holds = 0, stays = score, reserved = false}
        end
        return nil
    end

    -- How many there are; those that have expired leave.
    function count_members()
        call('ZREMRANGEBYSCORE', MEMBERS, '-inf', NOW)
        call('ZREMRANGEBYSCORE', MEMBERS, BEHIND, BEHIND + NOW)
        return call('ZCARD', MEMBERS)
    end

    function put_member(member, m, period)
        if m.holds > 0 then
            call('HSET', HELD, member, string.format(
                '%d %d %d', m.holds, m.stays, m.reserved and 1 or 0))
            call('ZADD', MEMBERS, BEHIND + NOW + HOLD_MS, member)
            call('PEXPIRE', HELD, HOLD_MS + GRACE_MS)
        else
            call('HDEL', HELD, member)
            if m.stays > NOW then
                call('ZADD', MEMBERS, m.stays, member)
            else
                call('ZREM', MEMBERS, member)
            end
        end
        local life = KIND == 'set' and period or WRITTEN_TO_MS
        call('PEXPIRE', MEMBERS, math.max(life, HOLD_MS) + GRACE_MS)
    end

    function keep_member(m, period)
        local life = KIND == 'set' and period or WRITTEN_TO_MS
        m.stays = math.max(m.stays, NOW + life)
    end
end

local function take_off(b, cost)
    b.held = math.max(0, b.held - cost)
end

-- A hold of this member is no more; nothing is charged for it.
local function let_go(b, cost, member)
    if member == '' then
        take_off(b, cost)
        return
    end
    local m = find_member(member)
    if KIND == 'set' then take_off(b, 1) end
    if m == nil or m.holds == 0 then return end
    if KIND == 'recipients' and m.reserved and m.holds == 1 then
        take_off(b, 1)
    end
    m.holds = m.holds - 1
    put_member(member, m, b.period)
end

local function next_lapse(b)
    local first = call('ZRANGE', HOLDS, 0, 0, 'WITHSCORES')
    b.lapse = first[2] and tonumber(first[2]) or 0
    -- Those of a key that nobody asked for in time have expired in Redis.
    if b.lapse == 0 then b.held = 0 end
end

-- Holds that nobody has renewed: whoever held them is no more.
local function lapse(b)
    if b.lapse == 0 or b.lapse > NOW then return end
    local gone = call('ZRANGEBYSCORE', HOLDS, '-inf', NOW, 'LIMIT', 0, 100)
    for _, entry in ipairs(gone) do
        local cost, at = entry:match('^%x+:(%d+):()')
        call('ZREM', HOLDS, entry)
        call('ZADD', LAPSED, NOW, entry)
        let_go(b, tonumber(cost), entry:sub(at))
    end
    if #gone > 0 then
        call('ZREMRANGEBYRANK', LAPSED, 0, -1 - LAPSED_KEPT)
        call('PEXPIRE', LAPSED, LAPSED_MS)
    end
    next_lapse(b)
end

local function keep_hold(b, entry)
    local at = NOW + HOLD_MS
    call('ZADD', HOLDS, at, entry)
    call('PEXPIRE', HOLDS, HOLD_MS + GRACE_MS)
    if b.lapse == 0 or at < b.lapse then b.lapse = at end
end

-- What the server needs to say how much is used, and how long to wait.
local function tell(form, is_within, b, max, amount)
    return {form, is_within and 1 or 0, b.used, b.part, b.held, max, amount}
end
