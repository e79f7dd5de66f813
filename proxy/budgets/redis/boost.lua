-- For a while a budget is so many hundredths of what its rule says.
-- ARGV: 4 percent, 5 for how long
local PERCENT, FOR_MS = tonumber(ARGV[4]), tonumber(ARGV[5])
local b = read()
-- Until now it has drained as it was.
if b.rate > 0 and b.period > 0 then drain(b, b.rate, b.period) end
b.boost = PERCENT ~= 100 and PERCENT or 0
b.till = PERCENT ~= 100 and NOW + FOR_MS or 0
write(b)
return 1
