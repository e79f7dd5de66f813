SELECT user, count(*) AS messages, sum(accepted) AS recipients,
       sum(bytes) AS bytes
FROM transactions
WHERE verdict = 'accept' AND time LIKE :day || '%'
GROUP BY user ORDER BY messages DESC, user LIMIT 20;
