WITH toDate(now(), 'UTC') AS wanted_day, 'bob' AS wanted_user
SELECT substring(toString(time), 12, 8) AS at, id, verdict, ip, sender,
       length(rcpt) AS recipients, bytes, reply, rule, queue_id
FROM postern
WHERE event = 'transaction' AND user = wanted_user AND day = wanted_day
ORDER BY time, microsecond
