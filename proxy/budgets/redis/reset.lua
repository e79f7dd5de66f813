-- Nothing is used any more; what is held stays so.
local b = read()
if KIND == 'set' then
    call('ZREMRANGEBYSCORE', MEMBERS, '-inf', BEHIND - 1)
else
    b.used, b.part = 0, 0
    write(b)
end
return 1
