# Lines of the decision log in, rows of table.sql out:
#   jq -c -R -f rows.jq decisions.jsonl
# What is no whole line (an empty one, one still being written) is passed over.
def flag: if . == true or . == "true" then 1 else 0 end;

# The rules that refused; not those in shadow mode, which only would have.
def refusals: [(.rules // [])[]
    | select(.mode == null)
    | select(.did == "reject" or .did == "defer" or .did == "close")];

# Where the candidate policy differs: for the whole, and for recipients.
def differences:
    [select(.shadow != null) | {is: (.verdict // ""), shadow}]
    + [(.rcpt // [])[] | select(.shadow != null)
       | {is: (.verdict // ""), shadow}];

fromjson? | select(type == "object")
| select(.event == "transaction" or .event == "auth" or .event == "session"
         or .event == "limit")
| refusals as $refusals | differences as $differences
| {
    day: .time[0:10],
    time: "\(.time[0:10]) \(.time[11:19])",
    microsecond: (.time[20:26] | tonumber),
    event, id: (.id // ""), session: (.session // ""),
    user: (.auth.user // ""), name: (.auth.name // ""),
    result: (.auth.result // ""), mechanism: (.auth.mechanism // ""),
    known: (.auth.known | flag),
    ip: (.client.ip // ""), helo: (.client.helo // ""),
    listener: (.listener // ""), tls: (.tls.version // ""),
    verdict: (.verdict // ""), stage: (.stage // ""), reply: (.reply // ""),
    rule: (.rule // ""),
    sender: (.mail.from // ""), sent: (.mail.sent // ""),
    header_from: (.header.from // []),
    rcpt: [(.rcpt // [])[].to], rcpt_verdict: [(.rcpt // [])[].verdict],
    bytes: (.message.bytes // 0),
    refused_stage: [$refusals[].stage], refused_rule: [$refusals[].rule],
    refused_did: [$refusals[].did],
    shadow_would: [$differences[] | .shadow.verdict // ""],
    shadow_is: [$differences[].is],
    shadow_differs: [$differences[] | .shadow.differs // ""],
    shadow_rule: [$differences[] | .shadow.rule // ""],
    upstream: (.upstream.name // ""), server: (.upstream.server // ""),
    queue_id: (.upstream.queue_id // ""), fault: (.upstream.fault // ""),
    uncertain: (.uncertain | flag), ms: (.ms.total // 0),
    ended: (.end // ""), caps: (.caps // []),
    key: (.key // ""), used: (.used // 0), max: (.max // 0),
    exceeded: (.exceeded | flag), policy: (.policy // "")
  }
