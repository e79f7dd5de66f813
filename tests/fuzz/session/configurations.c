/* What a configuration has in common with others is a piece of text of its
 * own. scene_load() stands in for that of the dialogue runner, which reads
 * files: here the texts of all configurations are in the program. */
#include "tests/fuzz/session/configurations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"

/* Making room costs more than all else an input does. */
#define LEDGER_KEYS 64

#define HOST "hostname: mail.example.com\n"
#define LISTENERS                                                              \
    "listeners:\n"                                                             \
    "  submission: {address: \"127.0.0.1:5870\", tls: starttls}\n"             \
    "  submissions: {address: \"127.0.0.1:4650\", tls: implicit}\n"            \
    "  inside: {address: \"127.0.0.1:2525\", tls: none, auth: none, "          \
    "trusted: [198.51.100.0/24]}\n"
#define LOGINS                                                                 \
    "tls: {certificates: [{chain: cert.pem, key: key.pem}]}\n"                 \
    "auth: {mechanisms: [PLAIN, LOGIN], backends: [{users: users}]}\n"
/* The third alone offers SCRAM, as not every login holds its keys. */
#define OTHER_LISTENERS                                                        \
    "listeners:\n"                                                             \
    "  submission: {address: \"127.0.0.1:5870\", tls: starttls, "              \
    "client_ca: ca.pem, client_login: cn}\n"                                   \
    "  submissions: {address: \"127.0.0.1:4650\", tls: implicit, "             \
    "client_ca: ca.pem, client_login: cn}\n"                                   \
    "  scram: {address: \"127.0.0.1:4651\", tls: implicit, mechanisms: "       \
    "[PLAIN, SCRAM-SHA-256, SCRAM-SHA-256-PLUS]}\n"
#define OTHER_LOGINS                                                           \
    "tls: {certificates: [{chain: cert.pem, key: key.pem}]}\n"                 \
    "auth: {mechanisms: [PLAIN, LOGIN, SCRAM-SHA-256, SCRAM-SHA-256-PLUS, "    \
    "OAUTHBEARER, XOAUTH2, EXTERNAL, CRAM-MD5], cache: 1m, attempts: 5, "      \
    "backends: [{users: users}, {jwt: {jwks: keys.json, "                      \
    "issuer: \"https://issuer.example\", audience: mail}}]}\n"
#define GUESSES                                                                \
    "lists: {contained: [boss], guessers: {dynamic: true}}\n"                  \
    "policy:\n"                                                                \
    "  auth:\n"                                                                \
    "    - {rule: guesser, when: {client.net: \"@guessers\"}, "                \
    "close: \"421 4.7.0 Come again later\"}\n"                                 \
    "    - {rule: suspended, when: {auth.user: \"@contained\"}, "              \
    "reject: \"525 5.7.13 Suspended: {auth.user}\"}\n"                         \
    "    - {rule: guesses, when: {auth.result: failed}, "                      \
    "limit: {failures: 3/10m, by: \"{auth.name} {client.net}\"}, "             \
    "reject: \"535 5.7.8 Enough of {auth.name}\", "                            \
    "list: {add: {guessers: \"{client.net}\"}, for: 5m}}\n"                    \
    "    - {rule: names, limit: {logins: 3/10m, by: \"{client.net}\"}, "       \
    "reject: \"535 5.7.8 Too many names\"}\n"                                  \
    "    - {rule: one, when: {auth.result: ok}, "                              \
    "limit: {connections: 1, by: \"{auth.user}\"}, "                           \
    "defer: \"454 4.7.0 One at a time\"}\n"                                    \
    "    - {rule: slow, when: {auth.mechanism: CRAM-MD5}, delay: 5s}\n"

#define UPSTREAM                                                               \
    "upstreams:\n"                                                             \
    "  mta: {servers: [\"127.0.0.1:10025\"], tls: {mode: none}}\n"             \
    "upstream: mta\n"
#define TWO_UPSTREAMS                                                          \
    "upstreams:\n"                                                             \
    "  mta: {servers: [\"127.0.0.1:10025\"], tls: {mode: none}}\n"             \
    "  partner: {servers: [\"127.0.0.3:25\"], tls: {mode: none}}\n"            \
    "upstream: mta\n"
#define RELAY HOST LISTENERS LOGINS UPSTREAM

/* Low enough to be crossed by short inputs. */
#define CAPS                                                                   \
    "caps: {command_line: 512, auth_line: 1K, header_bytes: 1K, "              \
    "header_fields: 10, hops: 2, body_line: 1000, recipients: 3, "             \
    "message: 2K, drain: 1K, commands_without_mail: 12, "                      \
    "reply_line: 512, reply_lines: 5, reply_bytes: 1K}\n"

#define BALANCED                                                               \
    "listeners:\n"                                                             \
    "  submission: {address: \"127.0.0.1:5870\", tls: starttls, "              \
    "proxy_protocol: {from: [10.0.0.0/24, \"fd00::/64\"]}}\n"                  \
    "  submissions: {address: \"127.0.0.1:4650\", tls: implicit, "             \
    "proxy_protocol: {from: 10.0.0.0/24}}\n"                                   \
    "  inside: {address: \"127.0.0.1:2525\", tls: none, auth: none, "          \
    "trusted: [198.51.100.0/24], proxy_protocol: {from: [10.0.0.0/24]}}\n"

#define REPAIRING                                                              \
    "listeners:\n"                                                             \
    "  inside: {address: \"127.0.0.1:2525\", tls: none, auth: none, "          \
    "trusted: [198.51.100.0/24], line_endings: repair}\n"                      \
    "  strict: {address: \"127.0.0.1:2526\", tls: none, auth: none, "          \
    "trusted: [198.51.100.0/24]}\n"

#define OPTIONAL                                                               \
    "listeners:\n"                                                             \
    "  optional: {address: \"127.0.0.1:2525\", tls: starttls, "                \
    "auth: optional, trusted: [198.51.100.0/24], banner: \"ready, no "         \
    "spam\"}\n"

#define SECURE_UPSTREAM                                                        \
    "upstreams:\n"                                                             \
    "  mta:\n"                                                                 \
    "    servers: [\"127.0.0.1:10025\", \"127.0.0.2:10025\"]\n"                \
    "    tls: {mode: starttls, name: mta.example.com}\n"                       \
    "    identity: xclient\n"                                                  \
    "upstream: mta\n"

#define SMALL_POOL                                                             \
    "upstreams:\n"                                                             \
    "  mta:\n"                                                                 \
    "    servers: [\"127.0.0.1:10025\", \"127.0.0.2:10025\"]\n"                \
    "    tls: {mode: implicit, name: mta.example.com}\n"                       \
    "    disable: [CHUNKING]\n"                                                \
    "    pool: {max: 1, transactions: 2}\n"                                    \
    "upstream: mta\n"

#define POLICY                                                                 \
    "lists:\n"                                                                 \
    "  contained: {dynamic: true}\n"                                           \
    "policy:\n"                                                                \
    "  connect:\n"                                                             \
    "    - {rule: few, limit: {connections: 2, by: \"{client.ip}\"}, "         \
    "defer: \"450 4.7.1 Too many\"}\n"                                         \
    "  helo:\n"                                                                \
    "    - {rule: no robots, when: {helo.name: robot}, "                       \
    "reject: \"550 5.7.1 No robots\"}\n"                                       \
    "  auth:\n"                                                                \
    "    - {rule: guesses, when: {auth.result: failed}, "                      \
    "limit: {failures: 2/10m, by: \"{client.net}\"}, "                         \
    "close: \"421 4.7.0 Too many failed logins\"}\n"                           \
    "    - {rule: contained logins, when: {auth.user: \"@contained\"}, "       \
    "reject: \"525 5.7.13 Sending is suspended for {auth.user}\"}\n"           \
    "    - {rule: slow, when: {auth.result: failed}, delay: 3s}\n"             \
    "  mail:\n"                                                                \
    "    - {rule: old, when: {mail.from: '/^(.+)@old\\.example$/i'}, "         \
    "rewrite: {mail.from: \"{1}@example.com\"}}\n"                             \
    "    - {rule: owned, when: {mail.from: {not_in: \"{auth.addresses}\"}}, "  \
    "reject: \"553 5.7.1 {auth.user} may not send as {mail.from}\"}\n"         \
    "    - {rule: small, limit: {size: 4K}, "                                  \
    "reject: \"552 5.3.4 The limit is {limit.max}\"}\n"                        \
    "    - {rule: away, when: {mail.from: \"evil@*\"}, "                       \
    "close: \"421 4.7.0 Good bye\"}\n"                                         \
    "  rcpt:\n"                                                                \
    "    - {rule: moved, when: {rcpt.to.domain: old.example}, "                \
    "rewrite: {rcpt.to: \"{rcpt.to.local}@example.net\"}}\n"                   \
    "    - {rule: few recipients, limit: {recipients: 2/h, burst: 2, "         \
    "by: \"{client.ip}\"}, "                                                   \
    "defer: \"450 4.7.1 Try again in {limit.retry_after}\"}\n"                 \
    "    - {rule: no carl, when: {rcpt.to: carl@example.net}, "                \
    "reject: \"550 5.7.1 Not to Carl\"}\n"                                     \
    "    - {rule: their server, when: {rcpt.to.domain: partner.example}, "     \
    "route: partner}\n"                                                        \
    "    - {rule: slow rcpt, when: {rcpt.to: slow@example.net}, delay: 5s}\n"  \
    "  data:\n"                                                                \
    "    - {rule: archive, add_recipient: "                                    \
    "{address: archive@example.com, required: false}}\n"                       \
    "  header:\n"                                                              \
    "    - {rule: theirs, when: {header.from: {not_in: [bob@example.com, "     \
    "ann@old.example]}}, mode: shadow, reject: \"550 5.7.1 Not yours\"}\n"     \
    "    - {rule: no games, when: {header.subject: '/games/i'}, "              \
    "reject: \"550 5.7.1 No games here\"}\n"                                   \
    "    - {rule: from, when: {header.from: '/^(.+)@old\\.example$/i'}, "      \
    "rewrite: {header.from: \"{1}@example.com\"}}\n"                           \
    "    - {rule: mark, headers: {remove: [User-Agent, X-*], "                 \
    "set: {Subject: \"[out] {header.subject}\"}, add: {X-Gate: passed, "       \
    "X-Helo: \"{helo.name}\", X-Copy: \"{header.to}\"}, "                      \
    "add_missing: {Organization: Example}}}\n"                                 \
    "    - {rule: a trap, when: {header.subject: trap}, "                      \
    "add_recipient: trap@example.com, delay: 10s}\n"                           \
    "  message:\n"                                                             \
    "    - {rule: novels, when: {message.lines: \"> 5\"}, "                    \
    "reject: \"554 5.7.1 {message.lines} lines, {message.bytes} octets, "      \
    "{message.longest_line} in a row\"}\n"                                     \
    "    - {rule: slow end, when: {header.subject: slow}, delay: 5s}\n"        \
    "  reply:\n"                                                               \
    "    - {rule: contain, limit: {rejects: 1/h, by: \"{client.ip}\"}, "       \
    "list: {add: {contained: \"{auth.user}\"}, for: 12h}}\n"                   \
    "    - {rule: see, note: \"{reply.code} {reply.text}\", tag: [seen]}\n"

#define REDACTED                                                               \
    "log: {redact: [client.ip, helo.name, auth.user, auth.addresses, "         \
    "mail.from, rcpt.to, header.from, header.subject, header.message-id], "    \
    "redact_key_file: redact.key}\n"

#define ASKING                                                                 \
    "policy_servers:\n"                                                        \
    "  judge: {address: \"127.0.0.1:10023\"}\n"                                \
    "  lax: {address: \"unix:/run/lax.sock\", on_failure: continue}\n"         \
    "policy:\n"                                                                \
    "  mail:\n"                                                                \
    "    - {rule: at mail, ask: judge}\n"                                      \
    "  rcpt:\n"                                                                \
    "    - {rule: at rcpt, when: {rcpt.to.domain: [example.net, "              \
    "lax.example]}, ask: lax}\n"                                               \
    "    - {rule: asked twice, when: {rcpt.to.domain: example.net}, "          \
    "ask: judge}\n"                                                            \
    "  data:\n"                                                                \
    "    - {rule: at data, ask: judge}\n"                                      \
    "  message:\n"                                                             \
    "    - {rule: at message, ask: judge}\n"

#define SHADOWED                                                               \
    "policy_servers:\n"                                                        \
    "  grey: {address: \"127.0.0.1:10023\"}\n"                                 \
    "policy:\n"                                                                \
    "  rcpt:\n"                                                                \
    "    - {rule: ask grey, when: {rcpt.to.domain: example.net}, ask: grey}\n" \
    "    - {rule: slow, when: {rcpt.to.domain: slow.example}, delay: 5s}\n"    \
    "  header:\n"                                                              \
    "    - {rule: mark, headers: {add: {X-Gate: passed}}}\n"                   \
    "  reply:\n"                                                               \
    "    - {rule: see, note: \"{reply.code}\"}\n"

#define CANDIDATE                                                              \
    "policy_servers:\n"                                                        \
    "  grey: {address: \"127.0.0.1:10023\"}\n"                                 \
    "policy:\n"                                                                \
    "  connect:\n"                                                             \
    "    - {rule: few, limit: {connections: 1, by: \"{client.ip}\"}, "         \
    "defer: \"450 4.7.1 Too many\"}\n"                                         \
    "  helo:\n"                                                                \
    "    - {rule: no robots, when: {helo.name: robot}, "                       \
    "reject: \"550 5.7.1 No robots\"}\n"                                       \
    "  auth:\n"                                                                \
    "    - {rule: no, when: {auth.result: failed}, "                           \
    "reject: \"535 5.7.8 No\"}\n"                                              \
    "  mail:\n"                                                                \
    "    - {rule: who, when: {mail.from: bob@example.com}, "                   \
    "rewrite: {mail.from: \"robert@example.com\"}}\n"                          \
    "  rcpt:\n"                                                                \
    "    - {rule: two, limit: {recipients: 2/d, by: \"{client.ip}\"}, "        \
    "defer: \"450 4.7.1 Two a day\"}\n"                                        \
    "    - {rule: asked, ask: grey}\n"                                         \
    "    - {rule: nobody, when: {rcpt.to.domain: example.org}, "               \
    "reject: \"550 5.7.1 Nobody there\"}\n"                                    \
    "  header:\n"                                                              \
    "    - {rule: no games, when: {header.subject: '/games/i'}, "              \
    "reject: \"550 5.7.1 No games here\"}\n"                                   \
    "  message:\n"                                                             \
    "    - {rule: novels, when: {message.lines: \"> 3\"}, "                    \
    "reject: \"554 5.7.1 No novels\"}\n"                                       \
    "  reply:\n"                                                               \
    "    - {rule: see, note: \"{reply.code}\"}\n"

#define BEFORE                                                                 \
    "policy_servers:\n"                                                        \
    "  grey: {address: \"127.0.0.1:10023\"}\n"                                 \
    "policy:\n"                                                                \
    "  rcpt:\n"                                                                \
    "    - {rule: ask grey, when: {rcpt.to.domain: example.net}, ask: grey}\n" \
    "  header:\n"                                                              \
    "    - {rule: mark, headers: {add: {X-Policy: old}}, delay: 5s}\n"

#define AFTER                                                                  \
    "lists: {contained: {dynamic: true}}\n"                                    \
    "policy:\n"                                                                \
    "  mail:\n"                                                                \
    "    - {rule: away, when: {mail.from: \"evil@*\"}, "                       \
    "reject: \"553 5.7.1 No evil\"}\n"                                         \
    "  header:\n"                                                              \
    "    - {rule: mark, headers: {add: {X-Policy: new}}}\n"

static const struct text {
    const char *name;
    const char *yaml, *candidate, *next;
    bool needs_tls;
} TEXTS[] = {
    {"relay", RELAY, NULL, NULL, false},
    {"caps", RELAY CAPS, NULL, NULL, false},
    {"repair", HOST REPAIRING UPSTREAM, NULL, NULL, false},
    {"balanced", HOST BALANCED LOGINS UPSTREAM, NULL, NULL, false},
    {"secure", HOST LISTENERS LOGINS SECURE_UPSTREAM, NULL, NULL, true},
    {"pool", HOST OPTIONAL LOGINS SMALL_POOL, NULL, NULL, true},
    {"policy", HOST LISTENERS LOGINS TWO_UPSTREAMS POLICY, NULL, NULL, false},
    {"ask", RELAY ASKING, NULL, NULL, false},
    {"shadow", RELAY SHADOWED, RELAY CANDIDATE, NULL, false},
    {"reload", RELAY BEFORE, NULL, RELAY AFTER, false},
    {"logins", HOST OTHER_LISTENERS OTHER_LOGINS UPSTREAM, NULL, NULL, false},
    {"guesses", HOST OTHER_LISTENERS OTHER_LOGINS UPSTREAM GUESSES, NULL, NULL,
     false},
    {"redacted", HOST LISTENERS LOGINS TWO_UPSTREAMS POLICY REDACTED, NULL,
     NULL, false},
};

/* Of all configurations; the others only matter where the mechanisms do. */
static const struct script_user BOB = {
    .name = STR_INIT("bob"),
    .password = STR_INIT("correct-horse"),
    .addresses = {STR_INIT("bob@example.com"), STR_INIT("*@sales.example.com")},
    .groups = {STR_INIT("staff")},
    .address_count = 2,
    .group_count = 1,
};

static const struct script_user OTHERS[] = {
    {.name = STR_INIT("boss"),
     .password = STR_INIT("battery-staple"),
     .keys = KEYS_SCRAM,
     .addresses = {STR_INIT("boss@example.com")},
     .address_count = 1,
     .may_act_as = {STR_INIT("bob")},
     .may_act_as_count = 1},
    {.name = STR_INIT("crammer"),
     .password = STR_INIT("tanstaaf"),
     .keys = KEYS_CRAM},
};

static const struct script_token TOKENS[] = {
    {.text = STR_INIT("good-token"), .user = STR_INIT("bob")},
    {.text = STR_INIT("short-token"),
     .user = STR_INIT("boss"),
     .expires_ms = 30000},
};

static void add_logins(struct script *script)
{
    script->users[script->user_count++] = BOB;
    if (!strstr(script->config.p, "CRAM-MD5"))
        return;
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        script->users[script->user_count++] = OTHERS[i];
    for (size_t i = 0; i < sizeof TOKENS / sizeof *TOKENS; i++)
        script->tokens[script->token_count++] = TOKENS[i];
}

size_t configuration_count(void)
{
    return sizeof TEXTS / sizeof *TEXTS;
}

static struct settings *load(struct str yaml)
{
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings =
        config_load_octets("postern.yaml", yaml, &diags);
    if (!settings) {
        diags_print(&diags, stderr);
        abort();
    }
    diags_release(&diags);
    return (struct settings *)(uintptr_t)settings;
}

const struct settings *scene_load(const struct scene *scene, const char *name)
{
    bool is_next = strcmp(name, "next.yaml") == 0;
    return load(is_next ? scene->script->next : scene->script->config);
}

static struct str text_of(const char *text)
{
    return text ? str_from(text) : STR("");
}

static void read_text(const struct text *text, struct configuration *out)
{
    struct script *script = &out->script;
    out->name = text->name;
    out->needs_tls = text->needs_tls;
    script->config = str_from(text->yaml);
    script->candidate = text_of(text->candidate);
    script->next = text_of(text->next);
    add_logins(script);
    out->settings = load(script->config);
    if (text->candidate) {
        /* No file is read for it; as if one had been. */
        out->candidate = load(script->candidate);
        out->settings->shadow = out->candidate->rules;
    }
    out->scene = (struct scene){.script = script,
                                .settings = out->settings,
                                .ledger_keys = LEDGER_KEYS};
}

struct configuration *configurations_new(void)
{
    struct configuration *all = calloc(configuration_count(), sizeof *all);
    if (!all)
        abort();
    for (size_t i = 0; i < configuration_count(); i++)
        read_text(&TEXTS[i], &all[i]);
    return all;
}

void configurations_free(struct configuration *configurations)
{
    for (size_t i = 0; i < configuration_count(); i++) {
        configurations[i].settings->shadow = NULL; /* the candidate's */
        settings_unref(configurations[i].candidate);
        settings_unref(configurations[i].settings);
    }
    free(configurations);
}
