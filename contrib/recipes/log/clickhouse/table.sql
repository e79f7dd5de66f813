-- The decision log in ClickHouse: a row for each line that people ask about.
-- rows.jq makes the rows. What a line has not is empty or 0.
CREATE TABLE IF NOT EXISTS postern
(
    day          Date,
    time         DateTime('UTC'),
    microsecond  UInt32,
    event        String,         -- transaction, auth, session or limit
    id           String,
    session      String,
    user         String,         -- the login that was proven
    name         String,         -- the one that was claimed
    result       String,         -- of a login: ok, failed, refused, unavailable
    mechanism    String,
    known        UInt8,
    ip           String,
    helo         String,
    listener     String,
    tls          String,
    verdict      String,
    stage        String,
    reply        String,
    rule         String,
    sender       String,
    sent         String,         -- the sender after rewriting
    header_from  Array(String),
    rcpt         Array(String),
    rcpt_verdict Array(String),
    bytes        UInt64,
    refused_stage Array(String), -- each time a rule refused something
    refused_rule Array(String),
    refused_did  Array(String),
    shadow_would Array(String),  -- each time the candidate policy differed
    shadow_is    Array(String),
    shadow_differs Array(String),
    shadow_rule  Array(String),
    upstream     String,
    server       String,
    queue_id     String,
    fault        String,
    uncertain    UInt8,
    ms           Float64,
    ended        String,         -- how a session ended
    caps         Array(String),
    key          String,         -- of a limit
    used         UInt64,
    max          UInt64,
    exceeded     UInt8,
    policy       String
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (event, day, user, time, id);
