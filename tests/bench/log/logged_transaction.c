#include "tests/bench/log/logged_transaction.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/load.h"
#include "proxy/session/session_log.h"
#include "proxy/session/transaction.h"

static const char policy[] =
    "hostname: mail.example.com\n"
    "listeners: {submission: {address: '127.0.0.1:5870', tls: starttls}}\n"
    "upstreams: {mta: {servers: ['127.0.0.1:10025']}}\n"
    "upstream: mta\n"
    "tls: {certificates: [{chain: cert.pem, key: key.pem}]}\n"
    "auth: {backends: [{users: users}]}\n"
    "policy:\n"
    "  mail:\n"
    "    - {rule: the company we bought, when: {mail.from: "
    "'/^(.+)@old\\.example$/i'}, rewrite: {mail.from: '{1}@example.com'}}\n"
    "    - {rule: messages a day, limit: {messages: 2000/1d, by: "
    "'{auth.user}'}, defer: '450 4.7.1 Later'}\n"
    "  rcpt:\n"
    "    - {rule: recipients an hour, limit: {recipients: 500/h, by: "
    "'{auth.user}'}, defer: '450 4.7.1 Later'}\n"
    "  header:\n"
    "    - {rule: no mass mail, when: {header.precedence: bulk, "
    "header.subject: '/offer/i'}, reject: '550 5.7.1 No'}\n"
    "    - {rule: hide what the client runs, headers: {remove: [User-Agent, "
    "X-Mailer]}}\n";

struct logged_transaction {
    const struct settings *settings;
    struct session_host host;
    struct session session;
    struct transaction transaction;
    struct recipient recipient;
    struct acted acted[2];
    struct limit_use uses[2];
    struct arena captured;
};

static const struct settings *load(void)
{
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings =
        config_load_octets("postern.yaml", STR(policy), &diags);
    if (settings == NULL) {
        diags_print(&diags, stderr);
        exit(1);
    }
    diags_release(&diags);
    return settings;
}

static void know_session(struct facts *facts)
{
    static const struct str addresses[] = {STR_INIT("bob@example.com"),
                                           STR_INIT("*@sales.example.com")};
    static const struct str groups[] = {STR_INIT("staff")};
    facts_init(facts);
    facts_set_text(facts, FACT_CLIENT_IP, STR("198.51.100.7"));
    facts_set_number(facts, FACT_CLIENT_PORT, 49152);
    facts_set_text(facts, FACT_HELO_NAME, STR("laptop.example.com"));
    facts_set_text(facts, FACT_HELO_VERB, STR("EHLO"));
    facts_set_text(facts, FACT_TLS_VERSION, STR("1.3"));
    facts_set_text(facts, FACT_TLS_CIPHER, STR("TLS_AES_128_GCM_SHA256"));
    facts_set_text(facts, FACT_TLS_SNI, STR("mail.example.com"));
    facts_set_text(facts, FACT_AUTH_NAME, STR("bob"));
    facts_set_text(facts, FACT_AUTH_USER, STR("bob"));
    facts_set_text(facts, FACT_AUTH_MECHANISM, STR("PLAIN"));
    facts_set_text(facts, FACT_CLIENT_KNOWN, STR("true"));
    facts_set_list(facts, FACT_AUTH_ADDRESSES, addresses, 2);
    facts_set_list(facts, FACT_AUTH_GROUPS, groups, 1);
    facts_set_text(facts, FACT_MAIL_BODY, STR("8BITMIME"));
    facts_set_text(facts, FACT_MAIL_SMTPUTF8, STR("false"));
    facts_set_text(facts, FACT_MAIL_REQUIRETLS, STR("false"));
}

static void add_header(struct transaction *t)
{
    static const struct header_field fields[] = {
        {STR_INIT("Received"), STR_INIT(" from laptop by mail"), STR_INIT("")},
        {STR_INIT("Message-ID"),
         STR_INIT(" <20260105093001.1234@laptop.example.com>"), STR_INIT("")},
        {STR_INIT("Date"), STR_INIT(" Mon, 5 Jan 2026 09:30:00 +0000"),
         STR_INIT("")},
        {STR_INIT("From"), STR_INIT(" Bob Builder <bob@example.com>"),
         STR_INIT("")},
        {STR_INIT("To"), STR_INIT(" Ann <ann@example.net>"), STR_INIT("")},
        {STR_INIT("Subject"),
         STR_INIT(" =?utf-8?q?Protokoll_f=C3=BCr_Montag?="), STR_INIT("")},
        {STR_INIT("Precedence"), STR_INIT(" list"), STR_INIT("")},
        {STR_INIT("MIME-Version"), STR_INIT(" 1.0"), STR_INIT("")},
        {STR_INIT("Content-Type"), STR_INIT(" text/plain; charset=utf-8"),
         STR_INIT("")},
        {STR_INIT("User-Agent"), STR_INIT(" Thunderbird"), STR_INIT("")},
    };
    header_fields_init(&t->fields, &t->arena);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (header_fields_append(&t->fields, &fields[i]) != 0)
            abort();
    t->has_header = true;
    t->headers_count = t->fields.count;
    t->header_bytes = 640;
}

static void add_effects(struct logged_transaction *l)
{
    const struct ruleset *rules = l->settings->rules;
    struct effects *effects = &l->transaction.effects;
    l->acted[0] = (struct acted){.stage = STAGE_MAIL,
                                 .rule = ruleset_rule(rules, STAGE_MAIL, 0),
                                 .did = "rewrite"};
    l->acted[1] = (struct acted){.stage = STAGE_HEADER,
                                 .rule = ruleset_rule(rules, STAGE_HEADER, 1),
                                 .did = "headers"};
    l->uses[0] = (struct limit_use){.rule = ruleset_rule(rules, STAGE_MAIL, 1),
                                    .key = STR("bob"),
                                    .before = 12,
                                    .after = 13,
                                    .max = 2000,
                                    .is_within = true};
    l->uses[1] = l->uses[0];
    l->uses[1].rule = ruleset_rule(rules, STAGE_RCPT, 0);
    effects->acted = l->acted;
    effects->uses = l->uses;
    effects->acted_count = effects->use_count = 2;
}

static void add_recipient(struct logged_transaction *l)
{
    struct transaction *t = &l->transaction;
    l->recipient = (struct recipient){
        .state = RECIPIENT_ACCEPTED,
        .original = STR("ann@example.net"),
        .mailbox = STR("ann@example.net"),
        .reply = {250, STR("2.1.5"), STR("Ok")},
        .asked_us = t->started_us + 420,
        .answered_us = t->started_us + 3210,
        .upstream_reply = {250, STR("2.1.5"), STR("Ok")},
    };
    t->recipients = &l->recipient;
    t->recipient_count = t->accepted_count = 1;
}

static void add_answers(struct transaction *t, const struct settings *settings)
{
    t->upstream = &settings->upstreams[0];
    t->server = STR("127.0.0.1:10025");
    t->upstream_reply =
        (struct reply){250, STR("2.0.0"), STR("Ok: queued as 4XyZ12345")};
    t->final = t->upstream_reply;
    t->has_final = true;
    t->verdict = TRANSACTION_ACCEPT;
    t->stage = STAGE_REPLY;
    t->is_complete = true;
    t->content.bytes = 4103;
    t->content.scan.lines = 71;
    t->content.scan.longest = 78;
    t->policy_us = 31;
    t->upstream_us = 11800;
    t->ended_us = t->started_us + 14203;
    for (enum stage stage = STAGE_MAIL; stage <= STAGE_MESSAGE; stage++)
        t->stage_us[stage] = t->started_us + 700 * (uint64_t)stage;
    t->end_answer_us = t->started_us + 14001;
}

struct logged_transaction *logged_transaction_new(struct decision_lane *lane)
{
    struct logged_transaction *l = calloc(1, sizeof *l);
    if (l == NULL)
        abort();
    struct transaction *t = &l->transaction;
    l->settings = load();
    l->host.decisions = lane;
    l->session = (struct session){.host = &l->host,
                                  .listener = &l->settings->listeners[0],
                                  .settings = l->settings,
                                  .id = "7QK3M9T2XA",
                                  .user = STR("bob"),
                                  .transaction = t};
    t->session = &l->session;
    t->settings = l->settings;
    snprintf(t->id, sizeof t->id, "7QK3M9T2XA01");
    t->started_us = 5000000;
    t->started_wall_us = 1767605401123456;
    t->reverse_path_original = STR("bob@old.example");
    t->envelope.reverse_path = STR("bob@example.com");
    t->envelope.params.has_size = true;
    t->envelope.params.size = 4096;
    arena_init(&t->arena, (size_t)1024 * 1024);
    arena_init(&l->captured, (size_t)1024 * 1024);
    know_session(&l->session.facts);
    add_header(t);
    add_recipient(l);
    add_effects(l);
    add_answers(t, l->settings);
    return l;
}

void logged_transaction_free(struct logged_transaction *l)
{
    arena_release(&l->transaction.arena);
    arena_release(&l->captured);
    json_line_release(&l->host.log_line);
    settings_unref(l->settings);
    free(l);
}

void logged_transaction_capture(struct logged_transaction *l)
{
    struct transaction *t = &l->transaction;
    arena_rewind(&l->captured);
    t->capture = (struct log_capture){0};
    log_capture_header(&t->capture, &l->captured, t->settings, &t->fields);
}

void logged_transaction_write(struct logged_transaction *l)
{
    session_log_transaction(&l->session);
}
