-- A hold ends: what it took is charged, or it is only given back.
-- ARGV: 4 amount, 5 period, 6 cost, 7 charge, 8 commit or back, 9 id,
--       10 member, 11 the life of the memory in which it was held, if it may
--       have been told before; else ""
local AMOUNT, PERIOD = tonumber(ARGV[4]), tonumber(ARGV[5])
local COST, CHARGE = tonumber(ARGV[6]), tonumber(ARGV[7])
local IS_COMMIT, MEMBER = ARGV[8] == 'commit', ARGV[10]
local ENTRY = ARGV[9] .. ':' .. ARGV[6] .. ':' .. MEMBER
local TOLD, LIFE = KEY .. ':told:' .. ARGV[9], ARGV[11]

local b = read()
local is_there = call('ZREM', HOLDS, ENTRY) == 1
local is_lapsed = not is_there and call('ZREM', LAPSED, ENTRY) == 1

-- Without a hold: told once, it counts, unless it was overtaken by what was
-- told again on another connection; told again, only if it was held in a memory
-- that has been emptied.
local function is_news()
    if LIFE == '' then return call('EXISTS', TOLD) == 0 end
    -- Of several servers behind one address it may be another that has it.
    return redis.pcall('GET', 'postern:life') ~= LIFE
end
local is_told = IS_COMMIT and (is_there or is_lapsed or is_news())
if is_told and LIFE ~= '' then call('SET', TOLD, '', 'PX', HOLD_MS) end
if not is_there and not is_told then return 0 end

local function charge(units)
    drain(b, times(AMOUNT, boost_of(b)), PERIOD)
    if PERIOD == 0 then return end
    b.used = math.min(b.used + units, UNITS_MAX)
end

local function commit_recipient()
    local m = find_member(MEMBER)
    if m == nil then
        charge(1)
        m = {holds = 0, stays = NOW, reserved = false}
    elseif m.reserved then
        take_off(b, 1)
        charge(1)
        m.reserved = false
    end
    keep_member(m, PERIOD)
    if is_there then m.holds = math.max(0, m.holds - 1) end
    put_member(MEMBER, m, PERIOD)
end

local function commit_member()
    local m = find_member(MEMBER) or
              {holds = 0, stays = NOW, reserved = false}
    keep_member(m, PERIOD)
    if is_there then
        take_off(b, 1)
        m.holds = math.max(0, m.holds - 1)
    end
    put_member(MEMBER, m, PERIOD)
end

if not IS_COMMIT then
    b.period = b.period ~= 0 and b.period or PERIOD
    let_go(b, COST, MEMBER)
elseif MEMBER == '' then
    if is_there then take_off(b, COST) end
    charge(CHARGE)
elseif KIND == 'set' then
    commit_member()
else
    commit_recipient()
end
if call('EXISTS', HOLDS) == 0 then b.lapse, b.held = 0, 0 end
lapse(b)
write(b)
return 1
