-- A hold is still there. One that lapsed, or that an emptied Redis has
-- forgotten, is held again: it was granted.
-- ARGV: 4 period, 5 cost, 6 id, 7 member
local PERIOD, COST, MEMBER = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[7]
local ENTRY = ARGV[6] .. ':' .. ARGV[5] .. ':' .. MEMBER

local b = read()
local is_there = call('ZSCORE', HOLDS, ENTRY)
if not is_there then
    call('ZREM', LAPSED, ENTRY)
    if b.period == 0 then b.period = PERIOD end
    if MEMBER == '' then
        b.held = b.held + COST
    else
        local m = find_member(MEMBER)
        if KIND == 'set' then
            b.held = b.held + 1
        elseif m == nil then
            b.held = b.held + 1
        end
        m = m or {holds = 0, stays = NOW, reserved = KIND == 'recipients'}
        m.holds = m.holds + 1
        put_member(MEMBER, m, PERIOD)
    end
elseif MEMBER ~= '' then
    call('ZADD', MEMBERS, 'XX', BEHIND + NOW + HOLD_MS, MEMBER)
    call('PEXPIRE', HELD, HOLD_MS + GRACE_MS)
    if call('PTTL', MEMBERS) < HOLD_MS then
        call('PEXPIRE', MEMBERS, HOLD_MS + GRACE_MS)
    end
end
keep_hold(b, ENTRY)
lapse(b)
write(b)
return is_there and 1 or 0
