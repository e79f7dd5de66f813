-- Of a session: all in it. `postern explain ID` says why.
SELECT time, event, id, coalesce(verdict, line ->> '$.auth.result',
                                 line ->> '$.end') AS outcome,
       user, ip, line ->> '$.mail.from' AS sender,
       line ->> '$.rcpt[0].to' AS recipient, reply, rule,
       line ->> '$.upstream.queue_id' AS queue_id
FROM entries
WHERE id = :id OR session = :id
ORDER BY time, id;
