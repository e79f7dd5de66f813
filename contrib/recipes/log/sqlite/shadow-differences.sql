SELECT verdict, shadow ->> '$.verdict' AS would_be,
       shadow ->> '$.differs' AS differs,
       coalesce(shadow ->> '$.rule', '') AS by_rule,
       count(*) AS times, count(DISTINCT user) AS users, max(id) AS example
FROM differences
WHERE time LIKE :day || '%'
GROUP BY 1, 2, 3, 4 ORDER BY times DESC, 1, 2, 3, 4;
