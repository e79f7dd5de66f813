/* The sections of postern.yaml: what is wrong in each, and what comes out of
 * those that are right. */
#include "tests/unit/config/golden.h"

/* With /run/ in front an octet too long for the path of a socket. */
#define TEN "0123456789"
#define LONG_NAME TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "abc"

#define TWO "\"192.0.2.1:25\", \"192.0.2.2:25\", "
#define EIGHT TWO TWO TWO TWO

#define DIGITS_63                                                              \
    "00112233445566778899aAbBcCdDeEfF00112233445566778899aabbccddeef"
#define NO_FINGERPRINT(line, text)                                             \
    "t.yaml:" line ":11: error: fingerprint takes the 64 hexadecimal digits "  \
    "of a SHA-256, with or without colons, not \"" text "\"\n"

static const struct golden faults[] = {
    {.name = "an unknown section",
     .text = "listener: {}\n",
     .want = "t.yaml:1:1: error: the configuration has no key listener, "
             "did you mean listeners?\n"},
    {.name = "an unknown section like nothing",
     .text = "frobnicate: 1\n",
     .want = "t.yaml:1:1: error: the configuration has no key "
             "frobnicate\n"},
    {.name = "a misspelt required key",
     .text = "hostnam: mail.example.com\n",
     .without = GOLDEN_HOSTNAME,
     .want = "t.yaml:1:1: error: the configuration has no key hostnam, "
             "did you mean hostname?\n"},
    {.name = "no hostname",
     .text = "",
     .without = GOLDEN_HOSTNAME,
     .want = "t.yaml:1:1: error: the configuration lacks the key "
             "hostname: the name this server gives itself, such as "
             "mail.example.com\n"},
    {.name = "no listeners",
     .text = "",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:1:1: error: the configuration lacks the key "
             "listeners: where clients come in, a name each: {address, "
             "tls}\n"},
    {.name = "no upstreams",
     .text = "upstreams: {}\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:1:12: error: upstreams is empty: where does mail "
             "go?\n"},
    {.name = "an address as host name",
     .text = "hostname: 192.0.2.1:25\n",
     .without = GOLDEN_HOSTNAME,
     .want = "t.yaml:1:11: error: hostname takes a host name such as "
             "mail.example.com, not \"192.0.2.1:25\"\n"},
    {.name = "a host name in no A-labels",
     .text = "hostname: m\xc3\xbcller.example\n",
     .without = GOLDEN_HOSTNAME,
     .want = "t.yaml:1:11: error: hostname takes a host name such as "
             "mail.example.com, not \"m\xc3\xbcller.example\"; write "
             "xn--…, as `idn2` prints it\n"},
    {.name = "facts to hide without a key",
     .text = "log: {redact: [mail.from]}\n",
     .want = "t.yaml:1:15: error: redact needs a key, without which hashes "
             "could be guessed: say redact_key_file: FILE, of what `openssl "
             "rand -hex 32` prints\n"},
    {.name = "facts that can't be hidden",
     .text = "log: {redact: [mail.form, mail.size, rcpt.to.domain], "
             "redact_key_file: k}\n",
     .want = "t.yaml:1:16: error: redact: there is no fact mail.form, did you "
             "mean mail.from?\n"
             "t.yaml:1:27: error: redact: mail.size can't be hidden: take "
             "facts that tell of people, such as client.ip, auth.user, "
             "mail.from, rcpt.to or header.subject\n"
             "t.yaml:1:38: error: redact takes whole facts: rcpt.to, not "
             "rcpt.to.domain\n"},
    {.name = "a strict log that is none",
     .text = "log: {level: debug, strict: true}\n",
     .want = "t.yaml:1:29: error: there is no log to be strict about: say "
             "where decisions go, log: {decisions: FILE}\n"},
    {.name = "a dashboard that others can reach",
     .text = "http: {address: \"0.0.0.0:8025\", dashboard: true}\n",
     .want = "t.yaml:1:17: warning: the dashboard has no login, and whoever "
             "reaches 0.0.0.0:8025 sees who writes to whom: listen on "
             "127.0.0.1 and put a proxy that asks for one before it, as "
             "postern.yaml(5) shows\n"},
    {.name = "a dashboard on this machine alone",
     .text = "http: {address: \"[::ffff:127.0.0.1]:8025\", dashboard: true,"
             " names: [a.example]}\n",
     .want = ""},
    {.name = "metrics that others can reach",
     .text = "http: {address: \"0.0.0.0:8025\"}\n",
     .want = ""},
    {.name = "http without an address",
     .text = "http: {dashboard: true}\n",
     .want = "t.yaml:1:7: error: http lacks the key address: IP:port of "
             "metrics, health and the dashboard\n"},
    {.name = "http by a name",
     .text = "http: {address: \"localhost:80\", names: \"a:1\"}\n",
     .want = "t.yaml:1:17: error: address takes IP:port such as "
             "\"127.0.0.1:8025\", not \"localhost:80\"\n"
             "t.yaml:1:40: error: names takes host names such as "
             "postern.example.com, without a port, not \"a:1\"\n"},
    {.name = "http where clients come in",
     .text = "http: {address: \"127.0.0.1:5870\"}\n",
     .want = "t.yaml:1:17: error: 127.0.0.1:5870 is taken by the listener "
             "submission already\n"},
    {.name = "a store of another kind",
     .text = "limits: {store: \"memcached://x\"}\n",
     .want = "t.yaml:1:17: error: store takes memory, redis://host:port/db or "
             "redis+unix:///path?db=N, not \"memcached://x\"\n"},
    {.name = "another program's store, with a password",
     .text = "limits: {store: \"valkey://bob:secret@x\"}\n",
     .want = "t.yaml:1:17: error: store takes memory, redis://host:port/db or "
             "redis+unix:///path?db=N, not \"valkey:\"\n"},
    {.name = "a store with a password behind the path",
     .text = "limits: {store: \"redis+unix:///s?password=secret\"}\n",
     .want =
         "t.yaml:1:17: error: store: ?db=N is all that may follow the path, "
         "not \"?password=\"\n"},
    {.name = "a store with TLS",
     .text = "limits: {store: \"rediss://x:6379\"}\n",
     .want = "t.yaml:1:17: error: store: rediss:// (TLS) is not built: use "
             "redis+unix://, a network that is private, or a tunnel such as "
             "stunnel or WireGuard\n"},
    {.name = "a store with a password in the open",
     .text = "limits: {store: \"redis://bob:secret@x:6379/1\"}\n",
     .want = "t.yaml:1:17: error: store: a password does not belong here: put "
             "it into a file of its own, and that into "
             "store_password_file\n"},
    {.name = "a store without a host",
     .text = "limits: {store: \"redis://:6379\"}\n",
     .want = "t.yaml:1:17: error: store: host:port is expected behind "
             "redis://, not \":6379\"\n"},
    {.name = "a store with a database that is no number",
     .text = "limits: {store: \"redis://x:6379/limits\"}\n",
     .want = "t.yaml:1:17: error: store: the number of a database is expected, "
             "not \"limits\"\n"},
    {.name = "a store with a relative path",
     .text = "limits: {store: \"redis+unix://redis.sock\"}\n",
     .want = "t.yaml:1:17: error: store: redis+unix:// takes an absolute path: "
             "redis+unix:///run/redis/redis-server.sock\n"},
    {.name = "a store with an unknown parameter",
     .text = "limits: {store: \"redis+unix:///s?user=x\"}\n",
     .want = "t.yaml:1:17: error: store: ?db=N is all that may follow the "
             "path, not \"?user=\"\n"},
    {.name = "two users of one store",
     .text = "limits: {store: \"redis://ann@x:6379\", store_user: bob}\n",
     .want = "t.yaml:1:51: error: store_user: store names another one, ann\n"},
    {.name = "a store that fails in an unknown way",
     .text = "limits: {on_store_failure: deny}\n",
     .want = "t.yaml:1:28: error: on_store_failure takes local, defer or "
             "allow, not \"deny\"\n"},
    {.name = "a policy server without a port",
     .text = "policy_servers: {greylist: {address: localhost}}\n",
     .want = "t.yaml:1:38: error: address takes host:port such as "
             "\"127.0.0.1:10023\", or unix:/run/policy.sock, not "
             "\"localhost\"\n"},
    {.name = "a policy server's socket without a path",
     .text = "policy_servers: {greylist: {address: \"unix:\"}}\n",
     .want = "t.yaml:1:38: error: address: unix: names no socket: write "
             "unix:/run/policy.sock\n"},
    {.name = "a policy server without an address",
     .text = "policy_servers: {greylist: {timeout: 1s}}\n",
     .want = "t.yaml:1:28: error: a policy server lacks the key address: "
             "host:port, or unix:/path of its socket\n"},
    {.name = "what a policy server's failure means",
     .text = "policy_servers:\n"
             "  greylist: {address: \"127.0.0.1:10023\", on_failure: "
             "reject}\n",
     .want = "t.yaml:2:54: error: on_failure takes defer or continue, not "
             "\"reject\"\n"},
    {.name = "a share without its sign",
     .text = "reload: {replay: yesterday.jsonl, refuse_above: 1}\n",
     .want = "t.yaml:1:49: error: refuse_above takes a share such as 1% or "
             "0.25%, not \"1\"\n"},
    {.name = "a share of nothing",
     .text = "reload: {refuse_above: 1%}\n",
     .want = "t.yaml:1:9: error: reload lacks the key replay: a decision log "
             "that is run through a changed policy before it goes live\n"},
    {.name = "a word of tls",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:5870\", tls: startls}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:39: error: tls takes starttls, implicit or none, "
             "not \"startls\", did you mean starttls?\n"},
    {.name = "off is a text",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:5870\", tls: off}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:39: error: tls takes starttls, implicit or none, "
             "not \"off\"\n"},
    {.name = "an address without a port",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1\", tls: starttls}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:16: error: address takes host:port such as "
             "\"192.0.2.1:587\" or \"[2001:db8::1]:587\", not "
             "\"127.0.0.1\"\n"},
    {.name = "a port that is too large",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:65536\", tls: starttls}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:16: error: address takes host:port such as "
             "\"192.0.2.1:587\" or \"[2001:db8::1]:587\", not "
             "\"127.0.0.1:65536\"\n"},
    {.name = "an ipv6 address without brackets",
     .text = "listeners:\n"
             "  a: {address: \"::1:587\", tls: starttls}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:16: error: address takes host:port such as "
             "\"192.0.2.1:587\" or \"[2001:db8::1]:587\", not "
             "\"::1:587\"\n"},
    {.name = "a name as an address",
     .text = "listeners:\n"
             "  a: {address: \"localhost:587\", tls: starttls}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:16: error: address takes an address of this "
             "machine, not a name: \"[::]:587\" is all of them\n"},
    {.name = "an address taken twice",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:5870\", tls: starttls}\n"
             "  b: {address: \"127.0.0.1:5870\", tls: implicit}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:3:16: error: 127.0.0.1:5870 is taken by the "
             "listener a already\n"},
    {.name = "a listener without address",
     .text = "listeners:\n"
             "  a: {tls: starttls}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:6: error: a listener lacks the key address: "
             "IP:port, one or a list\n"},
    {.name = "a listener without tls",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\"}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:6: error: a listener lacks the key tls: starttls "
             "(port 587), implicit (port 465) or none\n"},
    {.name = "clear without trusted",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: none, auth: none}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:37: error: tls: none needs trusted: [CIDR], the "
             "networks from which mail may come unencrypted\n"
             "t.yaml:2:49: error: auth: none needs trusted: [CIDR], the "
             "networks from which mail may come without a login\n"},
    {.name = "a login without tls",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: none, trusted: "
             "[127.0.0.0/8]}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:37: error: nobody can log in here, as AUTH needs "
             "TLS: say auth: none or tls: starttls\n"},
    {.name = "optional auth without trusted",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: starttls, auth: "
             "optional}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:53: error: auth: optional needs trusted: [CIDR], "
             "the networks from which mail may come without a login\n"},
    {.name = "host bits in trusted",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: none, auth: none, "
             "trusted: [127.0.0.1/8]}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:65: error: trusted: 127.0.0.1/8 has bits set "
             "behind its prefix: is one address or a smaller network "
             "meant?\n"},
    {.name = "no network in trusted",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: none, auth: none, "
             "trusted: [house]}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:65: error: trusted takes networks such as "
             "192.0.2.0/24 or 2001:db8::/32, not \"house\"\n"},
    {.name = "an empty trusted",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: none, auth: none, "
             "trusted: []}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:64: error: trusted is empty: name the networks, "
             "such as [192.0.2.0/24]\n"},
    {.name = "no name of a certificate",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: starttls, "
             "client_login: ip}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:61: error: client_login takes rfc822, dns, cn or "
             "fingerprint, not \"ip\"\n"},
    {.name = "balancers that are none",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: starttls, "
             "proxy_protocol: {from: []}}\n"
             "  b: {address: \"127.0.0.1:26\", tls: starttls, "
             "proxy_protocol: {from: [lb.example.com]}}\n"
             "  c: {address: \"127.0.0.1:27\", tls: starttls, "
             "proxy_protocol: {}}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:70: error: from is empty: name the networks, such "
             "as [192.0.2.0/24]\n"
             "t.yaml:3:71: error: from takes networks such as 192.0.2.0/24 "
             "or 2001:db8::/32, not \"lb.example.com\"\n"
             "t.yaml:4:63: error: proxy_protocol lacks the key from: "
             "networks of the balancers; from them the header is a must\n"},
    {.name = "an unknown upstream",
     .text = "listeners:\n"
             "  a: {address: \"127.0.0.1:25\", tls: starttls, upstream: "
             "mat}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:57: error: upstreams has no mat, did you mean "
             "mta?\n"},
    {.name = "no way for the mail",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:10025\"]}\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:5:3: error: where does its mail go? Say upstream: "
             "NAME here or at the top level\n"},
    {.name = "an unknown default upstream",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:10025\"]}\n"
             "upstream: smarthost\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:3:11: error: upstreams has no smarthost\n"},
    {.name = "a list of listeners",
     .text = "listeners: [submission]\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:1:12: error: listeners takes a map (key: value), "
             "not a list\n"},
    {.name = "a name with a space",
     .text = "listeners:\n"
             "  my port: {address: \"127.0.0.1:25\", tls: starttls}\n",
     .without = GOLDEN_LISTENERS,
     .want = "t.yaml:2:3: error: a name is 1 to 64 letters, digits, - _ "
             "or .\n"},
    {.name = "no certificate",
     .text = "",
     .without = GOLDEN_TLS,
     .want = "t.yaml:3:3: error: TLS needs a certificate: say tls: "
             "{certificates: [{chain: FILE, key: FILE}]} at the top "
             "level\n"},
    {.name = "no backend",
     .text = "auth: {backends: []}\n",
     .without = GOLDEN_AUTH,
     .want = "t.yaml:4:3: error: logins need a back-end: say auth: "
             "{backends: [{users: FILE}]} at the top level, or auth: "
             "none here\n"},
    {.name = "a certificate without a key",
     .text = "tls:\n"
             "  certificates: [{chain: cert.pem}]\n",
     .without = GOLDEN_TLS,
     .want = "t.yaml:2:18: error: a certificate lacks the key key: PEM "
             "file with the private key, readable by its owner only\n"},
    {.name = "a certificate as a text",
     .text = "tls:\n"
             "  certificates: cert.pem\n",
     .without = GOLDEN_TLS,
     .want = "t.yaml:2:17: error: certificates takes a list ([...] or - "
             "...), not one value\n"},
    {.name = "an old tls",
     .text = "tls:\n"
             "  certificates: [{chain: cert.pem, key: key.pem}]\n"
             "  minimum: 1.1\n",
     .without = GOLDEN_TLS,
     .want = "t.yaml:3:12: error: minimum takes 1.2 or 1.3, not "
             "\"1.1\", did you mean 1.2?\n"},
    {.name = "a path without a value",
     .text = "tls:\n"
             "  certificates:\n"
             "    - chain: cert.pem\n"
             "      key:\n",
     .without = GOLDEN_TLS,
     .want = "t.yaml:4:11: error: key has no value\n"},
    {.name = "a misspelt mechanism",
     .text = "auth:\n"
             "  mechanisms: [PLAN]\n"
             "  backends: [{users: users}]\n",
     .without = GOLDEN_AUTH,
     .want = "t.yaml:2:16: error: mechanisms takes PLAIN, LOGIN, "
             "SCRAM-SHA-256, SCRAM-SHA-256-PLUS, OAUTHBEARER, XOAUTH2, "
             "EXTERNAL or CRAM-MD5, not \"PLAN\", did you mean PLAIN?\n"},
    {.name = "a path that no socket of Dovecot's can have",
     .text = "auth:\n"
             "  backends: [{dovecot: /run/" LONG_NAME "}]\n",
     .without = GOLDEN_AUTH,
     .want = "t.yaml:2:24: error: /run/" LONG_NAME " is too long for a "
             "socket's path: 107 octets at most\n"},
    {.name = "a backend of nothing",
     .text = "auth:\n"
             "  backends: [{}]\n",
     .without = GOLDEN_AUTH,
     .want = "t.yaml:2:14: error: an entry of backends names none: "
             "write {users: FILE}, {dovecot: SOCKET}, {upstream: NAME}, {jwt: "
             "...} or {introspect: ...}\n"},
    {.name = "a backend of two",
     .text = "auth:\n"
             "  backends: [{users: users, upstream: mta}]\n"
             "upstreams: {mta: {servers: [\"127.0.0.1:25\"], login: {client: "
             "true}}}\n"
             "upstream: mta\n",
     .without = GOLDEN_AUTH | GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:14: error: an entry of backends names two: write an "
             "entry each\n"},
    {.name = "a backend that clients are not logged in to",
     .text = "auth:\n"
             "  backends: [{upstream: mta}]\n",
     .without = GOLDEN_AUTH,
     .want = "t.yaml:2:25: error: the upstream mta is not logged in to with "
             "what clients give: it needs login: {client: true}\n"},
    {.name = "attempts in words",
     .text = "auth:\n"
             "  backends: [{users: users}]\n"
             "  attempts: three\n",
     .without = GOLDEN_AUTH,
     .want = "t.yaml:3:13: error: attempts takes a number, not "
             "\"three\"\n"},
    {.name = "too many attempts",
     .text = "auth:\n"
             "  backends: [{users: users}]\n"
             "  attempts: 1000\n",
     .without = GOLDEN_AUTH,
     .want = "t.yaml:3:13: error: attempts must be from 1 to 100\n"},
    {.name = "an upstream of nothing",
     .text = "upstreams:\n"
             "  mta: {}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:8: error: an upstream needs servers: "
             "[\"host:port\"], or maildir: DIRECTORY\n"},
    {.name = "more servers than an upstream has room for",
     .text = "upstreams:\n"
             "  mta:\n"
             "    servers: [" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT
             "\"192.0.2.1:25\"]\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:3:14: error: servers takes at most 64, not 65\n"},
    {.name = "a maildir with servers",
     .text = "upstreams:\n"
             "  mta: {maildir: mail, servers: [\"127.0.0.1:25\"], tls: "
             "{mode: none}}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:33: error: servers has no meaning for a maildir: "
             "remove it\n"
             "t.yaml:2:56: error: tls has no meaning for a maildir: "
             "remove it\n"},
    {.name = "tls of an upstream without a mode",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:25\"], tls: {name: "
             "mta.example.com}}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:41: error: tls of an upstream lacks the key "
             "mode: none, starttls or implicit\n"},
    {.name = "a balance that is none",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:25\"], balance: roundrobin}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:45: error: balance takes order or round-robin, not "
             "\"roundrobin\", did you mean round-robin?\n"},
    {.name = "more spare connections than there may be",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:25\"], pool: {max: 2, spare: "
             "3}}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:58: error: spare is more than max, which is 2\n"},
    {.name = "spare connections in nobody's name",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:25\"], identity: proxy-v2, "
             "pool: {spare: 1}}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:70: error: spare has no meaning with identity: "
             "proxy-v2, where each connection is made in the name of its "
             "client: remove it\n"},
    {.name = "an identity that is none",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:25\"], identity: proxy-v1, "
             "pace: 3}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:46: error: identity takes none, xclient or proxy-v2, "
             "not \"proxy-v1\", did you mean proxy-v2?\n"
             "t.yaml:2:62: error: pace takes a time such as 500ms, 30s, 5m, 1h "
             "or 1d, not \"3\"\n"},
    {.name = "fingerprints that are none",
     .text = "upstreams:\n"
             "  mta:\n"
             "    servers: [\"127.0.0.1:25\"]\n"
             "    tls:\n"
             "      mode: starttls\n"
             "      fingerprint:\n"
             "        - abc\n"
             "        - " DIGITS_63 "g\n"
             "        - " DIGITS_63 "00\n"
             "        - \":" DIGITS_63 "0\"\n"
             "        - \"0::" DIGITS_63 "\"\n"
             "        - " DIGITS_63 "0\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = NO_FINGERPRINT("7", "abc") NO_FINGERPRINT("8", DIGITS_63 "g")
         NO_FINGERPRINT("9", DIGITS_63 "00") NO_FINGERPRINT(
             "10", ":" DIGITS_63 "0") NO_FINGERPRINT("11", "0::" DIGITS_63)},
    {.name = "a fingerprint beside other proofs",
     .text = "upstreams:\n"
             "  mta:\n"
             "    servers: [\"127.0.0.1:25\"]\n"
             "    tls:\n"
             "      mode: starttls\n"
             "      fingerprint: " DIGITS_63 "0\n"
             "      name: mta.example.com\n"
             "      ca: ca.pem\n"
             "      verify: false\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:7:13: error: name has no meaning beside fingerprint, "
             "which trusts that certificate whatever its name and issuer: "
             "remove one of them\n"
             "t.yaml:8:11: error: ca has no meaning beside fingerprint, "
             "which trusts that certificate whatever its name and issuer: "
             "remove one of them\n"
             "t.yaml:9:15: error: verify may not be false beside "
             "fingerprint: remove one of them\n"},
    {.name = "no fingerprint at all",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:25\"], tls: {mode: "
             "starttls, fingerprint: []}}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:71: error: fingerprint is empty\n"},
    {.name = "what needs TLS without it",
     .text = "upstreams:\n"
             "  mta:\n"
             "    servers: [\"127.0.0.1:25\"]\n"
             "    tls:\n"
             "      mode: none\n"
             "      fingerprint: " DIGITS_63 "0\n"
             "      certificate: us.pem\n"
             "      key: us.key\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:6:20: error: fingerprint needs TLS: say mode: starttls "
             "or mode: implicit\n"
             "t.yaml:7:20: error: certificate needs TLS: say mode: starttls "
             "or mode: implicit\n"
             "t.yaml:8:12: error: key needs TLS: say mode: starttls or mode: "
             "implicit\n"},
    {.name = "halves of a certificate to show",
     .text = "upstreams:\n"
             "  a: {servers: [\"127.0.0.1:25\"], tls: {mode: starttls, "
             "certificate: us.pem}}\n"
             "  b: {servers: [\"127.0.0.1:25\"], tls: {mode: starttls, "
             "key: us.key}}\n"
             "upstream: a\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:69: error: certificate needs its private key: say "
             "key: FILE\n"
             "t.yaml:3:61: error: key needs its certificate: say "
             "certificate: FILE\n"},
    {.name = "a flag in words",
     .text = "upstreams:\n"
             "  mta: {servers: [\"127.0.0.1:25\"], advertise: yes}\n"
             "upstream: mta\n",
     .without = GOLDEN_UPSTREAMS,
     .want = "t.yaml:2:47: error: advertise takes true or false, not "
             "\"yes\"\n"},
    {.name = "a cap without sense",
     .text = "caps: {message: 50Q}\n",
     .want = "t.yaml:1:17: error: message takes a size such as 10K, 25M "
             "or 1G, not \"50Q\"\n"},
    {.name = "a cap that is too small",
     .text = "caps: {command_line: 100}\n",
     .want = "t.yaml:1:22: error: command_line must be from 512 to 16K\n"},
    {.name = "a cap that is misspelt",
     .text = "caps: {recipient: 100}\n",
     .want = "t.yaml:1:8: error: caps has no key recipient, did you "
             "mean recipients?\n"},
    {.name = "a time without a unit",
     .text = "timeouts: {command: 300}\n",
     .want = "t.yaml:1:21: error: command takes a time such as 500ms, "
             "30s, 5m, 1h or 1d, not \"300\"\n"},
    {.name = "a time that is too long",
     .text = "timeouts: {command: 30d}\n",
     .want = "t.yaml:1:21: error: command must be from 10ms to 1d\n"},
    {.name = "a part from the environment",
     .text = "log: {decisions: \"${HOME}/decisions.jsonl\"}\n",
     .want = "t.yaml:1:18: error: ${...} stands for a whole value, not "
             "for a part of one\n"},
    {.name = "nothing from the environment",
     .text = "log: {decisions: \"${POSTERN_NOT_SET}\"}\n",
     .want = "t.yaml:1:18: error: the environment has no "
             "POSTERN_NOT_SET: set it, or write the value here\n"},
    {.name = "a level that is none",
     .text = "log: {level: verbose}\n",
     .want = "t.yaml:1:14: error: level takes info or debug, not "
             "\"verbose\"\n"},
    {.name = "a control character",
     .text = "hostname: \"mail\\texample\"\n",
     .without = GOLDEN_HOSTNAME,
     .want = "t.yaml:1:11: error: hostname holds a line break or "
             "another control character\n"},
    {.name = "an include from memory",
     .text = "include: [policy.d/*.yaml]\n",
     .want = "t.yaml:1:11: error: policy.d/*.yaml: no file is opened "
             "here\n"},
};

static void each_fault_of_a_section_has_its_place(void **state)
{
    (void)state;
    golden_check(faults, sizeof faults / sizeof *faults);
}

/* Loads what must be right, used or not; the caller gives it back. */
static const struct settings *load_good(const char *text, unsigned without)
{
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings = golden_load(text, without, &diags);
    assert_int_equal(diags.errors, 0);
    assert_non_null(settings);
    diags_release(&diags);
    return settings;
}

static void assert_text(struct str got, const char *want)
{
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    const struct settings *settings = load_good("", 0);
    const struct caps_settings *caps = &settings->caps;
    assert_int_equal(caps->command_line, 2048);
    assert_int_equal(caps->auth_line, 12288);
    assert_int_equal(caps->header_bytes, 256 * 1024);
    assert_int_equal(caps->header_fields, 1000);
    assert_int_equal(caps->hops, 50);
    assert_int_equal(caps->body_line, 1024 * 1024);
    assert_int_equal(caps->recipients, 1000);
    assert_int_equal(caps->message, 50 * 1024 * 1024);
    assert_int_equal(caps->drain, 1024 * 1024);
    assert_int_equal(caps->bad_commands_before_auth, 5);
    assert_int_equal(caps->bad_commands_after_auth, 10);
    assert_int_equal(caps->commands_without_mail, 100);
    assert_int_equal(caps->connections, 20000);
    assert_int_equal(caps->connections_per_net, 100);
    assert_int_equal(caps->crowded, 80);
    assert_int_equal(caps->data_rate, 1024);
    assert_int_equal(caps->pattern_steps, 50000);
    assert_int_equal(caps->reply_line, 4096);
    assert_int_equal(caps->reply_lines, 100);
    assert_int_equal(caps->reply_bytes, 65536);
    const struct timeouts_settings *timeouts = &settings->timeouts;
    assert_int_equal(timeouts->tls_handshake, 30000);
    assert_int_equal(timeouts->first_command, 30000);
    assert_int_equal(timeouts->until_auth, 180000);
    assert_int_equal(timeouts->until_auth_crowded, 30000);
    assert_int_equal(timeouts->command, 300000);
    assert_int_equal(timeouts->data, 180000);
    assert_int_equal(timeouts->upstream_connect, 5000);
    assert_int_equal(timeouts->upstream_banner, 30000);
    assert_int_equal(timeouts->upstream_mail, 300000);
    assert_int_equal(timeouts->upstream_data, 120000);
    assert_int_equal(timeouts->upstream_end_of_data, 600000);
    assert_int_equal(timeouts->upstream_other, 60000);
    assert_int_equal(settings->auth.mechanisms,
                     1U << SASL_PLAIN | 1U << SASL_LOGIN);
    assert_int_equal(settings->auth.cache, 0);
    assert_int_equal(settings->auth.delay, 15000);
    assert_int_equal(settings->auth.attempts, 3);
    assert_false(settings->tls.is_minimum_13);
    assert_true(settings->tls.has_tickets);
    assert_false(settings->tls.is_key_isolated);
    assert_false(settings->received.hides_client);
    assert_true(settings->received.hides_user);
    assert_int_equal(settings->workers, 0);
    assert_string_equal(settings->user, "postern");
    assert_int_equal(settings->user_mark.line, 0);
    assert_true(settings->confine);
    assert_false(settings->core_dumps);
    assert_null(settings->log.decisions);
    assert_null(settings->log.server);
    assert_false(settings->log.is_debug);
    assert_null(settings->timezone);
    assert_string_equal(settings->control, "/run/postern/control");
    assert_int_equal(settings->control_mark.line, 0);
    assert_string_equal(settings->limits.state, "/var/lib/postern/limits");
    assert_int_equal(settings->limits.state_mark.line, 0);
    assert_int_equal(settings->limits.store, STORE_MEMORY);
    assert_int_equal(settings->limits.store_timeout_ms, 250);
    assert_int_equal(settings->limits.on_store_failure, ON_STORE_FAILURE_LOCAL);
    assert_null(settings->reload.replay);
    assert_int_equal(settings->reload.refuse_above_ppm, 10000);
    assert_int_equal(settings->policy_server_count, 0);
    assert_null(settings->shadow);
    settings_unref(settings);
}

static void a_listener_comes_out_as_written(void **state)
{
    (void)state;
    const struct settings *settings =
        load_good("listeners:\n"
                  "  a:\n"
                  "    address: [\"[::1]:5870\", \"127.0.0.1:5870\"]\n"
                  "    tls: none\n"
                  "    auth: none\n"
                  "    trusted: [10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1]\n"
                  "    upstream: other\n"
                  "    banner: at your service\n"
                  "  b: {address: \"127.0.0.1:4650\", tls: implicit}\n"
                  "upstreams:\n"
                  "  mta: {servers: \"mta.example.com:25\"}\n"
                  "  other: {maildir: mail}\n"
                  "upstream: mta\n",
                  GOLDEN_LISTENERS | GOLDEN_UPSTREAMS);
    assert_int_equal(settings->listener_count, 2);
    const struct listener_settings *a = &settings->listeners[0];
    assert_text(a->name, "a");
    assert_int_equal(a->address_count, 2);
    assert_text(a->addresses[0].host, "::1");
    assert_text(a->addresses[0].text, "[::1]:5870");
    assert_int_equal(a->addresses[0].port, 5870);
    assert_int_equal(a->addresses[0].mark.line, 3);
    assert_text(a->addresses[1].host, "127.0.0.1");
    assert_int_equal(a->tls, LISTENER_CLEAR);
    assert_int_equal(a->auth, AUTH_NONE);
    assert_int_equal(a->trusted_count, 3);
    assert_int_equal(a->trusted[0].prefix, 8);
    assert_text(a->upstream->name, "other");
    assert_text(a->banner, "at your service");
    const struct listener_settings *b = &settings->listeners[1];
    assert_int_equal(b->tls, LISTENER_IMPLICIT);
    assert_int_equal(b->auth, AUTH_REQUIRED);
    assert_ptr_equal(b->upstream, &settings->upstreams[0]);
    assert_int_equal(b->banner.n, 0);
    settings_unref(settings);
}

static void an_upstream_comes_out_as_written(void **state)
{
    (void)state;
    const struct settings *settings = load_good(
        "upstreams:\n"
        "  mta:\n"
        "    servers: [\"127.0.0.1:25\", \"[2001:db8::1]:26\"]\n"
        "    tls: {mode: implicit, name: mta.example.com, ca: ca.pem}\n"
        "    identity: xclient\n"
        "    balance: round-robin\n"
        "    pool: {max: 7, spare: 2, idle: 5s, transactions: 9, queue: 3, "
        "wait: 2s}\n"
        "    advertise: false\n"
        "  plain: {servers: [\"127.0.0.1:25\"], tls: {mode: starttls, verify: "
        "false}}\n"
        "  local: {maildir: /var/mail}\n"
        "upstream: mta\n",
        GOLDEN_UPSTREAMS);
    assert_int_equal(settings->upstream_count, 3);
    const struct upstream_settings *mta = &settings->upstreams[0];
    assert_int_equal(mta->index, 0);
    assert_int_equal(mta->server_count, 2);
    assert_text(mta->servers[1].host, "2001:db8::1");
    assert_int_equal(mta->servers[1].port, 26);
    assert_int_equal(mta->tls, UPSTREAM_IMPLICIT);
    assert_true(mta->is_verified);
    assert_string_equal(mta->tls_name, "mta.example.com");
    assert_string_equal(mta->ca, "ca.pem");
    assert_int_equal(mta->ca_mark.line, 4);
    assert_int_equal(mta->identity, IDENTITY_XCLIENT);
    assert_int_equal(mta->balance, BALANCE_ROUND_ROBIN);
    assert_int_equal(mta->pool_max, 7);
    assert_int_equal(mta->pool_spare, 2);
    assert_int_equal(mta->pool_idle_ms, 5000);
    assert_int_equal(mta->pool_transactions, 9);
    assert_int_equal(mta->pool_queue, 3);
    assert_int_equal(mta->pool_wait_ms, 2000);
    assert_false(mta->is_advertised);
    const struct upstream_settings *plain = &settings->upstreams[1];
    assert_int_equal(plain->tls, UPSTREAM_STARTTLS);
    assert_false(plain->is_verified);
    assert_null(plain->tls_name);
    assert_int_equal(plain->identity, IDENTITY_NONE);
    assert_int_equal(plain->balance, BALANCE_ORDER);
    assert_int_equal(plain->pool_max, 100);
    assert_int_equal(plain->pool_spare, 0);
    assert_int_equal(plain->pool_idle_ms, 30000);
    assert_int_equal(plain->pool_queue, 1000);
    assert_int_equal(plain->pool_wait_ms, 5000);
    assert_true(plain->is_advertised);
    const struct upstream_settings *local = &settings->upstreams[2];
    assert_int_equal(local->maildir_mark.line, 10);
    assert_string_equal(local->maildir, "/var/mail");
    assert_int_equal(local->index, 2);
    assert_int_equal(local->server_count, 0);
    settings_unref(settings);
}

static void a_pinned_upstream_comes_out_as_written(void **state)
{
    (void)state;
    const struct settings *settings = load_good(
        "upstreams:\n"
        "  mta:\n"
        "    servers: [\"127.0.0.1:25\"]\n"
        "    tls:\n"
        "      mode: implicit\n"
        "      fingerprint:\n"
        "        - " DIGITS_63 "0\n"
        "        - 01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:"
        "67:89:AB:CD:EF:01:23:45:67:89:ab:cd:ef\n"
        "      certificate: us.pem\n"
        "      key: us.key\n"
        "  one: {servers: [\"127.0.0.1:25\"], tls: {mode: starttls, "
        "fingerprint: " DIGITS_63 "1}}\n"
        "upstream: mta\n",
        GOLDEN_UPSTREAMS);
    const struct upstream_settings *mta = &settings->upstreams[0];
    assert_true(mta->is_verified);
    assert_int_equal(mta->fingerprint_count, 2);
    assert_text(mta->fingerprints[0], "00112233445566778899aabbccddeeff0011223"
                                      "3445566778899aabbccddeef0");
    assert_text(mta->fingerprints[1], "0123456789abcdef0123456789abcdef0123456"
                                      "789abcdef0123456789abcdef");
    assert_string_equal(mta->certificate.chain, "us.pem");
    assert_string_equal(mta->certificate.key, "us.key");
    assert_int_equal(mta->certificate.key_mark.line, 10);
    assert_int_equal(settings->upstreams[1].fingerprint_count, 1);
    settings_unref(settings);
}

static void the_other_sections_come_out_as_written(void **state)
{
    (void)state;
    const struct settings *settings =
        load_good("hostname: mx.example.org\n"
                  "tls:\n"
                  "  certificates:\n"
                  "    - {chain: a.pem, key: a.key}\n"
                  "    - {chain: /etc/b.pem, key: /etc/b.key}\n"
                  "  minimum: 1.3\n"
                  "  tickets: false\n"
                  "  key_isolation: true\n"
                  "auth:\n"
                  "  mechanisms: PLAIN\n"
                  "  backends: [{users: a}, {users: b}]\n"
                  "  attempts: 5\n"
                  "log:\n"
                  "  decisions: decisions.jsonl\n"
                  "  server: server.log\n"
                  "  level: debug\n"
                  "caps: {message: 25M, recipients: 10}\n"
                  "timeouts: {command: 1500ms}\n"
                  "received: {hide_client: true, hide_user: false}\n"
                  "workers: 08\n"
                  "user: mail\n"
                  "confine: false\n"
                  "core_dumps: true\n"
                  "timezone: Europe/Rome\n",
                  GOLDEN_HOSTNAME | GOLDEN_TLS | GOLDEN_AUTH);
    assert_text(settings->hostname, "mx.example.org");
    assert_int_equal(settings->tls.certificate_count, 2);
    assert_string_equal(settings->tls.certificates[0].chain, "a.pem");
    assert_string_equal(settings->tls.certificates[1].key, "/etc/b.key");
    assert_int_equal(settings->tls.certificates[1].key_mark.line, 5);
    assert_int_equal(settings->tls.certificates[1].key_mark.column, 32);
    assert_string_equal(settings->tls.certificates[1].key_mark.file, "t.yaml");
    assert_true(settings->tls.is_minimum_13);
    assert_false(settings->tls.has_tickets);
    assert_true(settings->tls.is_key_isolated);
    assert_int_equal(settings->auth.mechanisms, 1U << SASL_PLAIN);
    assert_int_equal(settings->auth.backend_count, 2);
    assert_string_equal(settings->auth.backends[1].users, "b");
    assert_int_equal(settings->auth.backends[1].mark.line, 11);
    assert_int_equal(settings->auth.attempts, 5);
    assert_string_equal(settings->log.decisions, "decisions.jsonl");
    assert_int_equal(settings->log.decisions_mark.line, 14);
    assert_string_equal(settings->log.server, "server.log");
    assert_true(settings->log.is_debug);
    assert_int_equal(settings->caps.message, 25 * 1024 * 1024);
    assert_int_equal(settings->caps.recipients, 10);
    assert_int_equal(settings->caps.hops, 50);
    assert_int_equal(settings->timeouts.command, 1500);
    assert_true(settings->received.hides_client);
    assert_false(settings->received.hides_user);
    assert_int_equal(settings->workers, 8);
    assert_string_equal(settings->user, "mail");
    assert_int_equal(settings->user_mark.line, 21);
    assert_false(settings->confine);
    assert_true(settings->core_dumps);
    assert_string_equal(settings->timezone, "Europe/Rome");
    settings_unref(settings);
}

static void a_store_comes_out_as_written(void **state)
{
    (void)state;
    const struct settings *settings = load_good(
        "limits: {store: \"redis://ann@[::1]:6380/7\", store_timeout: 1s,\n"
        "  store_password_file: secret, on_store_failure: allow}\n",
        0);
    const struct limits_settings *limits = &settings->limits;
    assert_int_equal(limits->store, STORE_REDIS);
    assert_text(limits->store_text, "redis://ann@[::1]:6380/7");
    assert_text(limits->store_user, "ann");
    assert_text(limits->store_address.host, "::1");
    assert_int_equal(limits->store_address.port, 6380);
    assert_null(limits->store_socket);
    assert_int_equal(limits->store_database, 7);
    assert_string_equal(limits->store_password_file, "secret");
    assert_int_equal(limits->store_password_mark.line, 2);
    assert_int_equal(limits->store_password.n, 0);
    assert_int_equal(limits->store_timeout_ms, 1000);
    assert_int_equal(limits->on_store_failure, ON_STORE_FAILURE_ALLOW);
    settings_unref(settings);
    settings = load_good("limits: {store: \"redis://redis.example.org\"}\n", 0);
    assert_text(settings->limits.store_address.host, "redis.example.org");
    assert_int_equal(settings->limits.store_address.port, 6379);
    settings_unref(settings);
    settings =
        load_good("limits: {store: \"redis+unix:///run/r.sock?db=2\"}\n", 0);
    assert_int_equal(settings->limits.store, STORE_REDIS);
    assert_string_equal(settings->limits.store_socket, "/run/r.sock");
    assert_int_equal(settings->limits.store_database, 2);
    assert_int_equal(settings->limits.store_address.host.n, 0);
    settings_unref(settings);
}

static void what_the_running_server_needs_comes_out_as_written(void **state)
{
    (void)state;
    const struct settings *settings = load_good(
        "policy_servers:\n"
        "  greylist: {address: \"[::1]:10023\", on_failure: continue}\n"
        "  spam: {address: \"unix:run/spam.sock\", timeout: 250ms}\n"
        "limits: {state: /srv/limits}\n"
        "control: run/control\n"
        "reload: {replay: old.jsonl, refuse_above: 0.25%}\n",
        0);
    const struct policy_server_settings *servers = settings->policy_servers;
    assert_int_equal(settings->policy_server_count, 2);
    assert_text(servers[0].name, "greylist");
    assert_text(servers[0].address.host, "::1");
    assert_int_equal(servers[0].address.port, 10023);
    assert_null(servers[0].socket);
    assert_true(servers[0].continues);
    assert_int_equal(servers[0].timeout_ms, 5000);
    assert_int_equal(servers[0].mark.line, 2);
    assert_text(servers[1].address.text, "unix:run/spam.sock");
    assert_int_equal(servers[1].address.host.n, 0);
    assert_string_equal(servers[1].socket, "run/spam.sock");
    assert_false(servers[1].continues);
    assert_int_equal(servers[1].timeout_ms, 250);
    assert_string_equal(settings->limits.state, "/srv/limits");
    assert_int_equal(settings->limits.state_mark.line, 4);
    assert_string_equal(settings->control, "run/control");
    assert_int_equal(settings->control_mark.line, 5);
    assert_string_equal(settings->reload.replay, "old.jsonl");
    assert_int_equal(settings->reload.replay_mark.line, 6);
    assert_int_equal(settings->reload.refuse_above_ppm, 2500);
    settings_unref(settings);
}

static void a_value_may_come_from_the_environment(void **state)
{
    (void)state;
    setenv("POSTERN_TEST_NAME", "mx.example.net", 1);
    setenv("POSTERN_TEST_COUNT", "4", 1);
    const struct settings *settings =
        load_good("hostname: ${POSTERN_TEST_NAME}\n"
                  "workers: \"${POSTERN_TEST_COUNT}\"\n"
                  "policy:\n"
                  "  mail:\n"
                  "    - rule: a brace is a brace here\n"
                  "      when: {mail.from: '/^x${POSTERN_TEST_NAME}/'}\n"
                  "      tag: x\n",
                  GOLDEN_HOSTNAME);
    assert_text(settings->hostname, "mx.example.net");
    assert_int_equal(settings->workers, 4);
    settings_unref(settings);
    unsetenv("POSTERN_TEST_NAME");
    unsetenv("POSTERN_TEST_COUNT");
}

static void an_anchor_serves_several_places(void **state)
{
    (void)state;
    const struct settings *settings =
        load_good("listeners:\n"
                  "  a: {address: \"127.0.0.1:25\", tls: none, auth: none, "
                  "trusted: &house [10.0.0.0/8]}\n"
                  "  b: {address: \"127.0.0.1:26\", tls: none, auth: none, "
                  "trusted: *house}\n",
                  GOLDEN_LISTENERS);
    assert_int_equal(settings->listeners[1].trusted_count, 1);
    assert_int_equal(settings->listeners[1].trusted[0].prefix, 8);
    settings_unref(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_section_has_its_place),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(a_listener_comes_out_as_written),
        cmocka_unit_test(an_upstream_comes_out_as_written),
        cmocka_unit_test(a_pinned_upstream_comes_out_as_written),
        cmocka_unit_test(the_other_sections_come_out_as_written),
        cmocka_unit_test(a_store_comes_out_as_written),
        cmocka_unit_test(what_the_running_server_needs_comes_out_as_written),
        cmocka_unit_test(a_value_may_come_from_the_environment),
        cmocka_unit_test(an_anchor_serves_several_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
