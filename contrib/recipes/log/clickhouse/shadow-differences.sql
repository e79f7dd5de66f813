WITH toDate(now(), 'UTC') AS wanted_day
SELECT was AS verdict, would AS would_be, how AS differs,
       by_rule, count() AS times,
       uniqExactIf(user, user != '') AS users, max(id) AS example
FROM postern
ARRAY JOIN shadow_is AS was, shadow_would AS would, shadow_differs AS how,
           shadow_rule AS by_rule
WHERE day = wanted_day
GROUP BY was, would, how, by_rule
ORDER BY times DESC, verdict, would_be, differs, by_rule
