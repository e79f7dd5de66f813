-- Does it fit? Then it is held, or charged at once.
-- ARGV: 4 amount, 5 period, 6 burst, 7 cost, 8 hold or charge, 9 id, 10 member
local AMOUNT, PERIOD = tonumber(ARGV[4]), tonumber(ARGV[5])
local BURST, COST = tonumber(ARGV[6]), tonumber(ARGV[7])
local IS_CHARGE, ID, MEMBER = ARGV[8] == 'charge', ARGV[9], ARGV[10]

local b = read()
lapse(b)
local percent = boost_of(b)
AMOUNT, BURST = times(AMOUNT, percent), times(BURST, percent)

-- Tells how it stood before. What does not fit fills the bucket to the brim.
local function ask_bucket(cost, entry)
    drain(b, AMOUNT, PERIOD)
    local is_within = fits(b, BURST, cost)
    local told = tell(0, is_within, b, BURST, AMOUNT)
    if not IS_CHARGE then
        if is_within then
            b.held = b.held + cost
            keep_hold(b, entry)
        end
    elseif not is_within then
        if b.used < BURST and PERIOD > 0 then b.used, b.part = BURST, 0 end
    elseif PERIOD > 0 then
        b.used = b.used + cost
    end
    return is_within, told
end

local ask_set, ask_recipient
if KIND ~= 'bucket' then
    local function hold_member(m, cost)
        if IS_CHARGE then
            keep_member(m, PERIOD)
        else
            m.holds = m.holds + 1
            keep_hold(b, ID .. ':' .. cost .. ':' .. MEMBER)
        end
        put_member(MEMBER, m, PERIOD)
    end

    -- When fewer than the limit are left, were no more to come.
    local function falls_in(count)
        if count < BURST or BURST == 0 then return HELD_RETRY_MS end
        local at = call('ZRANGE', MEMBERS, count - BURST, count - BURST,
                        'WITHSCORES')[2]
        at = tonumber(at or BEHIND)
        return at < BEHIND and at - NOW or HELD_RETRY_MS
    end

    function ask_set()
        if percent > 0 then BURST = math.min(BURST, MEMBERS_MAX) end
        b.period = PERIOD
        local count = count_members()
        local m = find_member(MEMBER)
        local after, wait = count, 0
        if m == nil and count < BURST and count < MEMBERS_MAX then
            m = {holds = 0, stays = NOW, reserved = false}
            after = count + 1
        end
        if m == nil then
            wait = falls_in(count)
        else
            if not IS_CHARGE then b.held = b.held + 1 end
            hold_member(m, 1)
        end
        return {1, m and 1 or 0, count, after, wait, BURST, AMOUNT}
    end

    local function has_room()
        if call('ZCARD', MEMBERS) < MEMBERS_MAX then return true end
        if count_members() < MEMBERS_MAX then return true end
        local first = call('ZRANGE', MEMBERS, 0, 0, 'WITHSCORES')
        if tonumber(first[2]) >= BEHIND then return false end
        call('ZREM', MEMBERS, first[1])
        return true
    end

    function ask_recipient()
        local m = find_member(MEMBER)
        if m ~= nil then
            drain(b, AMOUNT, PERIOD)
            hold_member(m, 1)
            return tell(2, true, b, BURST, AMOUNT)
        end
        -- Without room it is not remembered, and costs again the next time.
        if not has_room() then
            local _, told = ask_bucket(1, ID .. ':1:')
            told[1] = 3
            return told
        end
        drain(b, AMOUNT, PERIOD)
        local is_within = fits(b, BURST, 1)
        local told = tell(0, is_within, b, BURST, AMOUNT)
        if is_within then
            if IS_CHARGE then b.used = b.used + 1 else b.held = b.held + 1 end
            hold_member({holds = 0, stays = NOW, reserved = not IS_CHARGE}, 1)
        elseif IS_CHARGE and b.used < BURST then
            b.used, b.part = BURST, 0
        end
        return told
    end
end

local told
if KIND == 'set' then
    told = ask_set()
elseif KIND == 'recipients' then
    told = ask_recipient()
else
    local _
    _, told = ask_bucket(COST, ID .. ':' .. ARGV[7] .. ':')
end
write(b)
return told
