-- How it stands, for people. Changes nothing.
-- Gives: used, part, period, at, rate, held, percent, until, now, members,
--        when the last of them leaves
local b = read()
local count, last = 0, 0
if b.lapse > 0 and call('ZCOUNT', HOLDS, NOW + 1, '+inf') == 0 then
    b.held = 0
end
if KIND == 'set' then
    count = call('ZCOUNT', MEMBERS, NOW + 1, BEHIND - 1) +
            call('ZCOUNT', MEMBERS, BEHIND + NOW + 1, '+inf')
    local newest = call('ZREVRANGEBYSCORE', MEMBERS, BEHIND - 1, '-inf',
                        'WITHSCORES', 'LIMIT', 0, 1)
    last = newest[2] and tonumber(newest[2]) or 0
end
return {b.used, b.part, b.period, b.at, b.rate, b.held, boost_of(b),
        b.till, NOW, count, last}
