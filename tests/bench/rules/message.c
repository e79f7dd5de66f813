#include "tests/bench/rules/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "config/time_facts.h"
#include "rules/ledger.h"

#define KEYS 10000
#define TURNS 9
#define TURN_NS 3e7

struct message {
    const struct settings *settings;
    struct evaluate_scratch *scratch;
    struct ledger *ledger;
    struct facts facts;
    struct arena kept; /* of the session */
    struct header_field *fields;
    struct header_fields header;
    struct arena arena; /* of the transaction */
    struct effects effects;
    uint64_t now_ms;
    size_t acted;
};

static const struct {
    const char *name, *body;
} header[] = {
    {"Received", " from laptop by mail; Mon, 5 Jan 2026 09:30:00 +0000"},
    {"Message-ID", " <20260105093000.1@laptop.example>"},
    {"Date", " Mon, 5 Jan 2026 09:30:00 +0000"},
    {"From", " User Seven <user7@site7.example>"},
    {"To", " Ann <ann@mail.partner7.example>"},
    {"Subject", " Minutes of the meeting about project 7, second version"},
    {"MIME-Version", " 1.0"},
    {"Content-Type", " text/plain; charset=utf-8"},
    {"Content-Transfer-Encoding", " 8bit"},
    {"User-Agent", " Mozilla Thunderbird"},
    {"Content-Language", " en-GB"},
    {"Organization", " Site Seven"},
};

#define FIELDS (sizeof header / sizeof *header)

static void make_fields(struct message *m)
{
    m->fields = arena_array(&m->kept, FIELDS, sizeof *m->fields);
    for (size_t i = 0; m->fields != NULL && i < FIELDS; i++)
        m->fields[i] = (struct header_field){
            .name = str_from(header[i].name),
            .body = str_from(header[i].body),
            .raw = arena_printf(&m->kept, "%s:%s\r\n", header[i].name,
                                header[i].body)};
}

static void read_header(struct message *m)
{
    header_fields_init(&m->header, &m->arena);
    for (size_t i = 0; i < FIELDS; i++)
        if (header_fields_append(&m->header, &m->fields[i]) != 0)
            abort();
}

/* What is known before the first MAIL. */
static void begin_session(struct facts *facts)
{
    static const struct str addresses[] = {STR_INIT("user7@example.com"),
                                           STR_INIT("*@site7.example")};
    static const struct str groups[] = {STR_INIT("staff"), STR_INIT("team7"),
                                        STR_INIT("plan7")};
    facts_init(facts);
    facts_set_text(facts, FACT_CLIENT_IP, STR("198.51.100.7"));
    facts_set_text(facts, FACT_CLIENT_NET, STR("198.51.100.7/32"));
    facts_set_number(facts, FACT_CLIENT_PORT, 49152);
    facts_set_text(facts, FACT_LISTENER, STR("submission"));
    facts_set_text(facts, FACT_HELO_NAME, STR("laptop.site7.example"));
    facts_set_text(facts, FACT_HELO_VERB, STR("EHLO"));
    facts_set_text(facts, FACT_TLS_VERSION, STR("1.3"));
    facts_set_text(facts, FACT_AUTH_NAME, STR("User7"));
    facts_set_text(facts, FACT_AUTH_RESULT, STR("ok"));
    facts_set_text(facts, FACT_AUTH_MECHANISM, STR("PLAIN"));
    facts_set_text(facts, FACT_AUTH_USER, STR("user7"));
    facts_set_list(facts, FACT_AUTH_ADDRESSES, addresses, 2);
    facts_set_list(facts, FACT_AUTH_GROUPS, groups, 3);
    facts_set_text(facts, FACT_CLIENT_KNOWN, STR("true"));
}

struct message *message_new(const struct settings *settings)
{
    static const uint8_t SECRET[16] = "0123456789abcde";
    struct message *m = calloc(1, sizeof *m);
    if (m == NULL)
        abort();
    m->settings = settings;
    m->scratch = evaluate_scratch_new();
    m->ledger = ledger_new(KEYS, SECRET);
    if (m->scratch == NULL || m->ledger == NULL)
        abort();
    arena_init(&m->kept, (size_t)64 * 1024);
    arena_init(&m->arena, (size_t)1024 * 1024);
    make_fields(m);
    begin_session(&m->facts);
    return m;
}

void message_free(struct message *m)
{
    evaluate_scratch_free(m->scratch);
    ledger_free(m->ledger);
    arena_release(&m->kept);
    arena_release(&m->arena);
    free(m);
}

static void ask(struct message *m, enum stage stage)
{
    const struct ruleset *rules = m->settings->rules;
    struct evaluation e;
    struct question question;
    struct answer answer;
    struct verdict verdict;
    if (ruleset_count(rules, stage) == 0 && stage != STAGE_MESSAGE)
        return;
    evaluate_start(&e, rules, stage, &m->facts, &m->effects, m->scratch);
    while (evaluate(&e, &question, &verdict) == EVALUATE_QUESTION) {
        ledger_answer(m->ledger, &question, m->now_ms, &answer);
        evaluate_answer(&e, &answer);
    }
    if (verdict.kind == VERDICT_PASS)
        return;
    fprintf(stderr, "%s: %d %.*s\n", stage_name(stage), verdict.code,
            (int)verdict.text.n, verdict.text.p);
    exit(1);
}

static void ask_mail(struct message *m)
{
    struct facts *facts = &m->facts;
    ask(m, STAGE_AUTH);
    facts_set_text(facts, FACT_MAIL_ID, STR("7QK3M9T2XA01"));
    facts_set_text(facts, FACT_MAIL_FROM, STR("User7@site7.example"));
    facts_set_number(facts, FACT_MAIL_SIZE, 20480);
    facts_set_text(facts, FACT_MAIL_BODY, STR("8BITMIME"));
    facts_set_text(facts, FACT_MAIL_SMTPUTF8, STR("false"));
    facts_set_text(facts, FACT_MAIL_REQUIRETLS, STR("false"));
    ask(m, STAGE_MAIL);
}

static void ask_reply(struct message *m, const char *command)
{
    struct facts *facts = &m->facts;
    facts_set_text(facts, FACT_REPLY_COMMAND, str_from(command));
    facts_set_number(facts, FACT_REPLY_CODE, 250);
    facts_set_text(facts, FACT_REPLY_ENHANCED, STR("2.1.5"));
    facts_set_text(facts, FACT_REPLY_TEXT, STR("Ok"));
    facts_set_text(facts, FACT_UPSTREAM_SERVER, STR("127.0.0.1:10025"));
    ask(m, STAGE_REPLY);
}

static void ask_rcpt(struct message *m)
{
    struct facts *facts = &m->facts;
    facts_set_text(facts, FACT_RCPT_TO, STR("ann@mail.partner7.example"));
    facts_set_number(facts, FACT_RCPT_COUNT, 1);
    facts_set_number(facts, FACT_RCPT_DOMAINS, 1);
    facts_set_text(facts, FACT_UPSTREAM_NAME, STR("mta"));
    ask(m, STAGE_RCPT);
    facts_set_text(facts, FACT_REPLY_TO, STR("ann@mail.partner7.example"));
    ask_reply(m, "RCPT");
}

static void ask_content(struct message *m)
{
    static const struct str rcpt[] = {STR_INIT("ann@mail.partner7.example")};
    static const struct str domains[] = {STR_INIT("mail.partner7.example")};
    struct facts *facts = &m->facts;
    facts_set_list(facts, FACT_DATA_RECIPIENTS, rcpt, 1);
    facts_set_list(facts, FACT_DATA_DOMAINS, domains, 1);
    ask(m, STAGE_DATA);
    facts_set_header(facts, &m->header);
    facts_set_number(facts, FACT_HEADERS_COUNT, m->header.count);
    facts_set_number(facts, FACT_HEADERS_BYTES, 700);
    facts_set_number(facts, FACT_HEADERS_HOPS, 1);
    ask(m, STAGE_HEADER);
    facts_set_number(facts, FACT_MESSAGE_BYTES, 20410);
    facts_set_number(facts, FACT_MESSAGE_LINES, 402);
    facts_set_number(facts, FACT_MESSAGE_LONGEST_LINE, 78);
    ask(m, STAGE_MESSAGE);
    facts_forget(facts, FACT_REPLY_TO);
    ask_reply(m, "DATA");
}

void message_run(struct message *m)
{
    m->now_ms += 100;
    effects_init(&m->effects, &m->arena);
    time_facts_set(&m->facts, 1767605400 + m->now_ms / 1000);
    read_header(m);
    ask_mail(m);
    ask_rcpt(m);
    ask_content(m);
    for (size_t i = 0; i < m->effects.hold_count; i++)
        ledger_commit(m->ledger, &m->effects.holds[i], m->now_ms);
    m->acted = m->effects.acted_count;
    facts_forget_from(&m->facts, STAGE_MAIL);
    arena_rewind(&m->arena);
}

size_t message_acted(const struct message *m)
{
    return m->acted;
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double turn_ns(struct message *m)
{
    double begun = now_ns(), spent = 0;
    size_t messages = 0;
    while (spent < TURN_NS) {
        for (size_t i = 0; i < 20; i++)
            message_run(m);
        messages += 20;
        spent = now_ns() - begun;
    }
    return spent / (double)messages;
}

double message_cost_us(struct message *m)
{
    double best = turn_ns(m);
    for (size_t i = 1; i < TURNS; i++) {
        double one = turn_ns(m);
        best = one < best ? one : best;
    }
    return best / 1000;
}
