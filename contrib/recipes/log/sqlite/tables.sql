-- The decision log as tables. `lines` holds it as it came, one line a row;
-- what is no whole JSON line (an empty one, one that is still being written)
-- is passed over. Times are UTC, as in the log.
CREATE TABLE entries AS
SELECT line ->> '$.time'                        AS time,
       line ->> '$.event'                       AS event,
       line ->> '$.id'                          AS id,
       line ->> '$.session'                     AS session,
       line ->> '$.client.ip'                   AS ip,
       line ->> '$.auth.user'                   AS user,
       line ->> '$.verdict'                     AS verdict,
       line ->> '$.reply'                       AS reply,
       line ->> '$.rule'                        AS rule,
       line
FROM lines
WHERE json_valid(line);

-- A message, or the attempt.
CREATE VIEW transactions AS
SELECT time, id, session, ip, user, verdict, reply, rule,
       line ->> '$.mail.from'                   AS sender,
       json_array_length(line, '$.rcpt')        AS recipients,
       (SELECT count(*) FROM json_each(line, '$.rcpt')
         WHERE value ->> '$.verdict' = 'accept') AS accepted,
       coalesce(line ->> '$.message.bytes', 0)  AS bytes,
       line ->> '$.upstream.queue_id'           AS queue_id,
       line
FROM entries WHERE event = 'transaction';

-- Each time that a rule refused something: a connection, a login, a sender, a
-- recipient, a message. What a rule in shadow mode would do is not here.
CREATE VIEW refusals AS
SELECT e.time, e.id, e.user, e.ip,
       r.value ->> '$.stage' AS stage,
       r.value ->> '$.rule'  AS rule,
       r.value ->> '$.did'   AS did
FROM entries AS e, json_each(e.line, '$.rules') AS r
WHERE e.event IN ('transaction', 'session')
  AND r.value ->> '$.did' IN ('reject', 'defer', 'close')
  AND r.value ->> '$.mode' IS NULL;

-- What the candidate policy would do otherwise: of a message, a recipient.
CREATE VIEW differences AS
SELECT time, id, user, verdict, NULL AS recipient,
       line -> '$.shadow' AS shadow
FROM entries WHERE line -> '$.shadow' IS NOT NULL
UNION ALL
SELECT e.time, e.id, e.user, r.value ->> '$.verdict', r.value ->> '$.to',
       r.value -> '$.shadow'
FROM entries AS e, json_each(e.line, '$.rcpt') AS r
WHERE r.value -> '$.shadow' IS NOT NULL;
