SELECT substr(time, 12, 8) AS at, id, verdict, ip, sender, recipients, bytes,
       reply, rule, queue_id
FROM transactions
WHERE user = :user AND time LIKE :day || '%'
ORDER BY time;
