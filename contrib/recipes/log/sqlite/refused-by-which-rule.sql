SELECT stage, rule, did, count(*) AS times, count(DISTINCT user) AS users,
       max(id) AS example
FROM refusals
WHERE time LIKE :day || '%'
GROUP BY stage, rule, did ORDER BY times DESC, stage, rule, did;
