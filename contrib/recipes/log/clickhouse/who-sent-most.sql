WITH toDate(now(), 'UTC') AS wanted_day
SELECT user, count() AS messages,
       sum(arrayCount(v -> v = 'accept', rcpt_verdict)) AS recipients,
       sum(bytes) AS octets
FROM postern
WHERE event = 'transaction' AND verdict = 'accept' AND day = wanted_day
GROUP BY user
ORDER BY messages DESC, user
LIMIT 20
