-- Of a session: all in it. `postern explain ID` says why.
WITH '7QK3M9T2XA' AS wanted_id
SELECT time, microsecond, event, id,
       concat(verdict, result, ended) AS outcome, user, ip, sender,
       if(empty(rcpt), '', rcpt[1]) AS recipient, reply, rule, queue_id
FROM postern
WHERE id = wanted_id OR session = wanted_id
ORDER BY time, microsecond, id
