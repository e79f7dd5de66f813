WITH toDate(now(), 'UTC') AS wanted_day
SELECT at_stage AS stage, by_rule AS rule, did, count() AS times,
       uniqExactIf(user, user != '') AS users, max(id) AS example
FROM postern
ARRAY JOIN refused_stage AS at_stage, refused_rule AS by_rule,
           refused_did AS did
WHERE day = wanted_day
GROUP BY at_stage, by_rule, did
ORDER BY times DESC, stage, rule, did
