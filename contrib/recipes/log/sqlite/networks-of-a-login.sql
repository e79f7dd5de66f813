-- Messages that were accepted, by where they came from. `guesses` are wrong
-- passwords for this login from there.
SELECT ip, sum(event = 'transaction' AND verdict = 'accept') AS messages,
       sum(event = 'auth' AND line ->> '$.auth.result' = 'ok') AS logins,
       sum(event = 'auth' AND line ->> '$.auth.result' = 'failed') AS guesses,
       min(time) AS first, max(time) AS last
FROM entries
WHERE coalesce(user, line ->> '$.auth.name') = :user
  AND event IN ('auth', 'transaction')
GROUP BY ip ORDER BY messages DESC, ip;
