-- Messages that were accepted, by where they came from. `guesses` are wrong
-- passwords for this login from there.
WITH 'bob' AS wanted_user
SELECT ip,
       countIf(event = 'transaction' AND verdict = 'accept') AS messages,
       countIf(event = 'auth' AND result = 'ok') AS logins,
       countIf(event = 'auth' AND result = 'failed') AS guesses,
       min(time) AS first, max(time) AS last
FROM postern
WHERE event IN ('auth', 'transaction')
  AND if(user = '', name, user) = wanted_user
GROUP BY ip
ORDER BY messages DESC, ip
