/* The language as a product of tables: every fact with every matcher, every
 * action at every stage. Each cell is a rule that the builder takes, and then
 * it acts on a value that matches and on no other; or one that it refuses,
 * and then it says where that is allowed. */
#include "tests/unit/rules/fixture.h"

#include "rules/rule.h"

#include <stdlib.h>

/* --- facts --- */

struct fact_row {
    const char *name;
    enum fact fact;
    const char *yes, *no; /* two values; for numbers `no` is one more */
    const char *body;     /* of a header field, when it is not `yes` */
    const char *other_body;
};

static const struct fact_row FACTS[] = {
    {.name = "client.ip", FACT_CLIENT_IP, "192.0.2.1", "198.51.100.1"},
    {.name = "client.net", FACT_CLIENT_NET, "192.0.2.1", "198.51.100.1"},
    {.name = "client.port", FACT_CLIENT_PORT, "49152", "49153"},
    {.name = "client.known", FACT_CLIENT_KNOWN, "true", "false"},
    {.name = "listener", FACT_LISTENER, "submission", "printers"},
    {.name = "time.hour", FACT_TIME_HOUR, "9", "10"},
    {.name = "time.weekday", FACT_TIME_WEEKDAY, "monday", "sunday"},
    {.name = "time.date", FACT_TIME_DATE, "05-Jan-2026", "04-Jan-2026"},
    {.name = "helo.name", FACT_HELO_NAME, "laptop.example", "phone.test"},
    {.name = "helo.verb", FACT_HELO_VERB, "ehlo", "helo"},
    {.name = "tls.version", FACT_TLS_VERSION, "1.3", "1.2"},
    {.name = "tls.cipher",
     FACT_TLS_CIPHER,
     "TLS_AES_128_GCM_SHA256",
     "TLS_CHACHA20_POLY1305_SHA256"},
    {.name = "tls.sni", FACT_TLS_SNI, "mail.example", "smtp.test"},
    {.name = "tls.client.fingerprint",
     FACT_TLS_CLIENT_FINGERPRINT,
     "abcd",
     "1234"},
    {.name = "tls.client.names",
     FACT_TLS_CLIENT_NAMES,
     "printer.example",
     "scanner.test"},
    {.name = "auth.name", FACT_AUTH_NAME, "bob", "eve"},
    {.name = "auth.result", FACT_AUTH_RESULT, "failed", "ok"},
    {.name = "auth.mechanism", FACT_AUTH_MECHANISM, "PLAIN", "LOGIN"},
    {.name = "auth.user", FACT_AUTH_USER, "bob", "eve"},
    {.name = "auth.addresses",
     FACT_AUTH_ADDRESSES,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "auth.addresses.domain",
     FACT_AUTH_ADDRESSES,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "auth.groups", FACT_AUTH_GROUPS, "staff", "students"},
    {.name = "mail.id", FACT_MAIL_ID, "7QK3M9T2XA01", "7QK3M9T2XA02"},
    {.name = "mail.from",
     FACT_MAIL_FROM,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "mail.from.local",
     FACT_MAIL_FROM,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "mail.from.domain",
     FACT_MAIL_FROM,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "mail.size", FACT_MAIL_SIZE, "20480", "20481"},
    {.name = "mail.body", FACT_MAIL_BODY, "8BITMIME", "7BIT"},
    {.name = "mail.smtputf8", FACT_MAIL_SMTPUTF8, "true", "false"},
    {.name = "mail.requiretls", FACT_MAIL_REQUIRETLS, "true", "false"},
    {.name = "mail.envid", FACT_MAIL_ENVID, "QQ314159", "QQ000000"},
    {.name = "mail.original",
     FACT_MAIL_ORIGINAL,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "rcpt.to", FACT_RCPT_TO, "bob@sub.example.com", "eve@example.net"},
    {.name = "rcpt.to.domain",
     FACT_RCPT_TO,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "rcpt.count", FACT_RCPT_COUNT, "3", "4"},
    {.name = "rcpt.domains", FACT_RCPT_DOMAINS, "3", "4"},
    {.name = "rcpt.original",
     FACT_RCPT_ORIGINAL,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "data.recipients",
     FACT_DATA_RECIPIENTS,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "data.domains",
     FACT_DATA_DOMAINS,
     "sub.example.com",
     "example.net"},
    {.name = "header.from",
     FACT_HEADER,
     "bob@sub.example.com",
     "eve@example.net",
     " B <bob@sub.example.com>",
     " E <eve@example.net>"},
    {.name = "header.to.domain",
     FACT_HEADER,
     "bob@sub.example.com",
     "eve@example.net",
     " B <bob@sub.example.com>",
     " E <eve@example.net>"},
    {.name = "header.sender.local",
     FACT_HEADER,
     "bob@sub.example.com",
     "eve@example.net",
     " B <bob@sub.example.com>",
     " E <eve@example.net>"},
    {.name = "header.cc.name",
     FACT_HEADER,
     "bob",
     "eve",
     " bob <b@sub.example.com>",
     " eve <e@example.net>"},
    {.name = "header.subject",
     FACT_HEADER,
     "invoice",
     "greetings",
     " invoice",
     " greetings"},
    {.name = "headers.count", FACT_HEADERS_COUNT, "12", "13"},
    {.name = "headers.bytes", FACT_HEADERS_BYTES, "901", "902"},
    {.name = "headers.hops", FACT_HEADERS_HOPS, "3", "4"},
    {.name = "message.bytes", FACT_MESSAGE_BYTES, "20410", "20411"},
    {.name = "message.lines", FACT_MESSAGE_LINES, "402", "403"},
    {.name = "message.longest_line", FACT_MESSAGE_LONGEST_LINE, "998", "999"},
    {.name = "reply.command", FACT_REPLY_COMMAND, "RCPT", "MAIL"},
    {.name = "reply.to",
     FACT_REPLY_TO,
     "bob@sub.example.com",
     "eve@example.net"},
    {.name = "reply.code", FACT_REPLY_CODE, "550", "551"},
    {.name = "reply.enhanced", FACT_REPLY_ENHANCED, "5.1.1", "5.7.1"},
    {.name = "reply.text", FACT_REPLY_TEXT, "unknown", "blocked"},
    {.name = "upstream.name", FACT_UPSTREAM_NAME, "mta", "other"},
    {.name = "upstream.server",
     FACT_UPSTREAM_SERVER,
     "127.0.0.1:10025",
     "127.0.0.1:10026"},
};

#define FACT_ROWS (sizeof FACTS / sizeof FACTS[0])

/* The value as the matchers see it: the part that the fact names. */
static const char *seen(const struct fact_row *row, const char *value)
{
    static char local[64];
    const char *at = strchr(value, '@');
    if (strstr(row->name, ".domain") != NULL && at != NULL)
        return at + 1;
    if (strstr(row->name, ".local") == NULL || at == NULL)
        return value;
    snprintf(local, sizeof local, "%.*s", (int)(at - value), value);
    return local;
}

static void know_row(struct fixture *f, const struct fact_row *row,
                     const char *value)
{
    struct fact_ref ref;
    const char *nearest;
    uint64_t number;
    assert_int_equal(fact_ref_parse(str_from(row->name), &ref, &nearest), 0);
    if (row->fact == FACT_HEADER) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)ref.header.n, ref.header.p);
        f->facts.header = NULL;
        know_header(f, name, value == row->yes ? row->body : row->other_body);
        return;
    }
    ref.part = FACT_PART_ALL;
    if (fact_type(&ref) == FACT_TYPE_NUMBER) {
        assert_int_equal(str_to_u64(str_from(value), &number), 0);
        facts_set_number(&f->facts, row->fact, number);
    } else if (fact_is_list(&ref)) {
        know_list(f, row->fact, value);
    } else {
        know(f, row->fact, value);
    }
}

/* --- matchers --- */

#define OF(type) (1u << FACT_TYPE_##type)
#define OF_WORDS (OF(TEXT) | OF(NAME) | OF(ADDRESS))
#define OF_ALL (OF_WORDS | OF(IP) | OF(NUMBER) | OF(FLAG))

/* In `format` stands for the value that matches %s, for the number one above
 * it +. */
struct matcher_row {
    const char *word, *format;
    unsigned types;     /* that it may be used with */
    bool is_negative;   /* it matches what is not the value */
    bool is_of_absence; /* the other value is none at all */
    const char *want;   /* what is said to other types */
};

static const struct matcher_row MATCHERS[] = {
    {.word = "", "%s", OF_ALL},
    {.word = "", "%s;%s", OF_ALL},
    {.word = "is", "%s", OF_ALL},
    {.word = "in", "%s", OF_ALL},
    {.word = "not_in", "%s", OF_ALL, .is_negative = true},
    {.word = "every_in", "%s", OF_ALL},
    {.word = "none_in", "%s", OF_ALL, .is_negative = true},
    {.word = "", "/^%s$/i", OF_ALL},
    {.word = "matches", "/^%s$/", OF_ALL},
    {.word = "matches", "/^(?<all>.*%s.*)$/", OF_ALL},
    {.word = "not_in", "/^%s$/", OF_ALL, .is_negative = true},
    {.word = "exists", "true", OF_ALL, .is_of_absence = true},
    {.word = "exists",
     "false",
     OF_ALL,
     .is_negative = true,
     .is_of_absence = true},
    {.word = "", "@values", OF_ALL},
    {.word = "in", "@values", OF_ALL},
    {.word = "not_in", "@values", OF_ALL, .is_negative = true},
    {.word = "every_in", "@values", OF_ALL},
    {.word = "none_in", "@values", OF_ALL, .is_negative = true},
    {.word = "above",
     "%s",
     OF(NUMBER),
     .is_negative = true,
     .want = "above compares numbers"},
    {.word = "below", "+", OF(NUMBER), .want = "below compares numbers"},
    {.word = "", "> %s", OF(NUMBER), .is_negative = true},
    {.word = "", ">= +", OF(NUMBER), .is_negative = true},
    {.word = "", "< +", OF(NUMBER)},
    {.word = "", "<= %s", OF(NUMBER)},
    {.word = "", "%s*", OF(NAME) | OF(ADDRESS), .want = "%"},
    {.word = "not_in",
     "%s*",
     OF(NAME) | OF(ADDRESS),
     .is_negative = true,
     .want = "%"},
    {.word = "", "*@sub.example.com", OF(ADDRESS), .want = "%"},
    {.word = "", "*@*.example.com", OF(ADDRESS), .want = "%"},
    {.word = "", "*@.example.com", OF(ADDRESS), .want = "%"},
    {.word = "", "192.0.2.0/24", OF(IP), .want = "%"},
    {.word = "not_in",
     "192.0.2.0/24",
     OF(IP),
     .is_negative = true,
     .want = "%"},
    {.word = "nearly", "%s", 0, .want = "a test has no word nearly"},
};

#define MATCHER_ROWS (sizeof MATCHERS / sizeof MATCHERS[0])

/* What a type says to an entry that is none of its own. */
static const char *const OF_OTHER_TYPES[] = {
    [FACT_TYPE_TEXT] = "* is no wildcard",
    [FACT_TYPE_NUMBER] = "is no number",
    [FACT_TYPE_IP] = "is no address of a host",
    [FACT_TYPE_FLAG] = "is true or false",
};

/* "> 10" is a text like any other. Where "192.0.2.0/24" and addresses are
 * compared with a name or a text, nothing is wrong with them either. */
static bool is_tried(const struct matcher_row *matcher, enum fact_type type)
{
    bool is_number = matcher->types == OF(NUMBER) && matcher->want == NULL;
    bool is_foreign = (matcher->types & 1u << type) == 0;
    bool has_words = type == FACT_TYPE_TEXT || type == FACT_TYPE_NAME ||
                     type == FACT_TYPE_ADDRESS;
    if (is_number)
        return !is_foreign;
    return !(is_foreign && has_words && matcher->want != NULL &&
             matcher->want[0] == '%' &&
             (type != FACT_TYPE_TEXT || strchr(matcher->format, '*') == NULL));
}

static const char *filled(const struct fact_row *row,
                          const struct matcher_row *matcher)
{
    static char text[200];
    const char *value = seen(row, row->yes);
    long number = strtol(value, NULL, 10);
    size_t n = 0;
    for (const char *p = matcher->format; *p != '\0'; p++) {
        if (*p == '+')
            n += (size_t)snprintf(text + n, sizeof text - n, "%ld", number + 1);
        else if (*p == '%')
            n +=
                (size_t)snprintf(text + n, sizeof text - n, "%s", (p++, value));
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "%c", *p);
    }
    return text;
}

/* --- actions --- */

struct action_row;

/* One cell of the product. */
struct cell {
    const struct fact_row *fact;
    const struct matcher_row *matcher;
    const struct action_row *action;
    enum stage stage;
    struct fact_ref ref;
};

struct action_row {
    const char *name;
    int (*build)(struct fixture *f, const struct cell *cell);
    bool (*is_done)(const struct fixture *f, const struct cell *cell);
    unsigned stages;
    const char *want; /* said elsewhere */
};

static int build_accepting(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_accept(f->builder, STR("true"));
}

static int build_rejecting(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_reject(f->builder, STR("554 5.7.1 no"));
}

static int build_deferring(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_defer(f->builder, STR("450 4.7.1 later"));
}

static int build_closing(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_close(f->builder, STR("421 4.7.0 bye"));
}

/* Of each stage that rewrites, what it may. */
static int build_rewriting(struct fixture *f, const struct cell *cell)
{
    static const char *const REWRITTEN[STAGE_COUNT] = {
        [STAGE_MAIL] = "mail.from",
        [STAGE_RCPT] = "rcpt.to",
        [STAGE_HEADER] = "header.to",
    };
    const char *fact = REWRITTEN[cell->stage];
    return build_rewrite(f->builder,
                         fact == NULL ? STR("listener") : str_from(fact),
                         STR("new@x.example"));
}

static int build_header_removal(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_headers(f->builder, STR("remove"), STR("X-Gone*"), STR(""));
}

static int build_header_set(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_headers(f->builder, STR("set"), STR("X-Edited"), STR("a"));
}

static int build_header_add(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_headers(f->builder, STR("add"), STR("X-Edited"), STR("a"));
}

static int build_header_add_missing(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_headers(f->builder, STR("add_missing"), STR("X-Edited"),
                         STR("a"));
}

static int build_adding(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_add_recipient(f->builder, STR("archive@x.example"), true);
}

static int build_routing(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_route(f->builder, STR("other"));
}

static int build_listing(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_list_add(f->builder, STR("contained"), STR("x"), STR("1h"));
}

static int build_unlisting(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_list_remove(f->builder, STR("contained"), STR("x"));
}

static int build_asking(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_ask(f->builder, STR("grey"));
}

static int build_delaying(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_delay(f->builder, STR("2s"));
}

/* The fact itself may be named wherever it may be tested. */
static int build_tagging(struct fixture *f, const struct cell *cell)
{
    char text[64];
    snprintf(text, sizeof text, "saw {%s}", cell->fact->name);
    return build_tag(f->builder, str_from(text));
}

static int build_noting(struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return build_note(f->builder, STR("seen"));
}

static bool was_accepted(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->verdict.kind == VERDICT_PASS &&
           strcmp(f->effects.acted[0].did, "accept") == 0;
}

static bool was_rejected(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->verdict.kind == VERDICT_REJECT && f->verdict.code == 554;
}

static bool was_deferred(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->verdict.kind == VERDICT_DEFER && f->verdict.code == 450;
}

static bool was_closed(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->verdict.kind == VERDICT_CLOSE && f->verdict.code == 421;
}

static bool has_field(const struct fixture *f, const char *name,
                      const char *text)
{
    for (size_t i = 0; i < f->header.count; i++) {
        const struct header_field *field = &f->header.items[i];
        char raw[200];
        snprintf(raw, sizeof raw, "%.*s", (int)field->raw.n, field->raw.p);
        if (str_equals_nocase(field->name, str_from(name)) &&
            strstr(raw, text) != NULL)
            return true;
    }
    return false;
}

static bool was_rewritten(const struct fixture *f, const struct cell *cell)
{
    static const struct str NEW = STR_INIT("new@x.example");
    if (cell->stage == STAGE_HEADER)
        return has_field(f, "To", "new@x.example");
    return str_equals(facts_text(&f->facts, cell->stage == STAGE_MAIL
                                                ? FACT_MAIL_FROM
                                                : FACT_RCPT_TO),
                      NEW);
}

static bool was_edited(const struct fixture *f, const struct cell *cell)
{
    if (cell->stage != STAGE_HEADER)
        return f->effects.edit_count == 1;
    return has_field(f, "X-Edited", " a") || !has_field(f, "X-Gone-1", "");
}

static bool was_added(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->effects.added_count == 1 && f->effects.added[0].is_required;
}

static bool was_routed(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return str_equals(f->effects.route, STR("other"));
}

static bool was_listed(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return strcmp(f->effects.acted[0].did, "list") == 0;
}

static bool was_asked(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->asked == 1 && f->verdict.kind == VERDICT_REJECT;
}

static bool was_delayed(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->effects.delay_ms == 2000;
}

static bool was_tagged(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->effects.tag_count == 1;
}

static bool was_noted(const struct fixture *f, const struct cell *cell)
{
    (void)cell;
    return f->effects.note_count == 1;
}

#define AT(stage) (1u << STAGE_##stage)
#define AT_ALL ((1u << STAGE_COUNT) - 1)
#define BEFORE_REPLY (AT_ALL & ~AT(REPLY))
#define MAIL_TO_HEADER (AT(MAIL) | AT(RCPT) | AT(DATA) | AT(HEADER))

/* Not made from the builder's table: what the contract says. */
static const struct action_row ACTIONS[] = {
    {.name = "accept",
     build_accepting,
     was_accepted,
     BEFORE_REPLY,
     "at every stage but reply"},
    {.name = "reject",
     build_rejecting,
     was_rejected,
     BEFORE_REPLY,
     "at every stage but reply"},
    {.name = "defer",
     build_deferring,
     was_deferred,
     BEFORE_REPLY,
     "at every stage but reply"},
    {.name = "close",
     build_closing,
     was_closed,
     BEFORE_REPLY,
     "at every stage but reply"},
    {.name = "rewrite",
     build_rewriting,
     was_rewritten,
     AT(MAIL) | AT(RCPT) | AT(HEADER),
     "rewrite takes mail.from at mail, rcpt.to at rcpt"},
    {.name = "headers remove",
     build_header_removal,
     was_edited,
     MAIL_TO_HEADER,
     "at mail, rcpt, data, header"},
    {.name = "headers set",
     build_header_set,
     was_edited,
     MAIL_TO_HEADER,
     "at mail, rcpt, data, header"},
    {.name = "headers add",
     build_header_add,
     was_edited,
     MAIL_TO_HEADER,
     "at mail, rcpt, data, header"},
    {.name = "headers add_missing",
     build_header_add_missing,
     was_edited,
     MAIL_TO_HEADER,
     "at mail, rcpt, data, header"},
    {.name = "add_recipient",
     build_adding,
     was_added,
     AT(RCPT) | AT(DATA) | AT(HEADER),
     "at rcpt, data, header"},
    {.name = "route",
     build_routing,
     was_routed,
     AT(CONNECT) | AT(HELO) | AT(AUTH) | AT(MAIL) | AT(RCPT),
     "at connect, helo, auth, mail, rcpt"},
    {.name = "list add", build_listing, was_listed, AT_ALL},
    {.name = "list remove", build_unlisting, was_listed, AT_ALL},
    {.name = "ask",
     build_asking,
     was_asked,
     AT(MAIL) | AT(RCPT) | AT(DATA) | AT(MESSAGE),
     "at mail, rcpt, data, message"},
    {.name = "delay",
     build_delaying,
     was_delayed,
     BEFORE_REPLY,
     "at every stage but reply"},
    {.name = "tag", build_tagging, was_tagged, AT_ALL},
    {.name = "note", build_noting, was_noted, AT_ALL},
};

#define ACTION_ROWS (sizeof ACTIONS / sizeof ACTIONS[0])

/* --- a cell --- */

static void lose(const struct cell *cell, const char *what, const char *got)
{
    fail_msg("%s: {%s: {%s: %s}} with %s: %s, got: %s", stage_name(cell->stage),
             cell->fact->name, cell->matcher->word, cell->matcher->format,
             cell->action == NULL ? "nothing" : cell->action->name, what, got);
}

static void assert_refused(const struct cell *cell, const struct fixture *f,
                           int rc, const char *want)
{
    const char *got = build_error(f->builder);
    if (rc == 0)
        lose(cell, "it should be refused", "nothing");
    if (strstr(got, want) == NULL)
        lose(cell, want, got);
}

/* A builder with the lists, in a rule of the cell's stage. */
static void begin(struct fixture *f, const struct cell *cell)
{
    struct str value = str_from(seen(cell->fact, cell->fact->yes));
    f->builder = ruleset_builder_new();
    assert_non_null(f->builder);
    arena_reset(&f->arena);
    effects_init(&f->effects, &f->arena);
    facts_init(&f->facts);
    f->asked = f->questions = 0;
    built(f, build_list(f->builder, STR("values"), &value, 1, NULL));
    built(f, build_list_dynamic(f->builder, STR("contained"), NULL));
    rule(f, cell->stage, "r");
}

static void discard(struct fixture *f)
{
    ruleset_builder_free(f->builder);
    ruleset_free(f->ruleset);
    f->builder = NULL;
    f->ruleset = NULL;
}

/* Evaluates with a value of the fact, or without one; whether it acted. */
static bool acts(struct fixture *f, const struct cell *cell, const char *value)
{
    effects_init(&f->effects, &f->arena);
    facts_init(&f->facts);
    f->asked = 0;
    if (value != NULL)
        know_row(f, cell->fact, value);
    if (cell->stage >= STAGE_HEADER) {
        know_header(f, "X-Gone-1", " a");
        if (!str_equals_nocase(cell->ref.header, STR("to")))
            know_header(f, "To", " old@x.example");
    }
    ask(f, cell->stage);
    if (f->verdict.kind == VERDICT_FAULT)
        lose(cell, "no fault", f->verdict.fault);
    return f->effects.acted_count > 0;
}

static void assert_acts(struct fixture *f, const struct cell *cell)
{
    const char *other = cell->matcher->is_of_absence ? NULL : cell->fact->no;
    bool is_negative = cell->matcher->is_negative;
    /* A message without a From field has an empty one, and any header has a
     * number of fields. */
    if (other == NULL && (strcmp(cell->fact->name, "header.from") == 0 ||
                          strncmp(cell->fact->name, "headers.", 8) == 0))
        return;
    if (acts(f, cell, is_negative ? cell->fact->yes : other))
        lose(cell, "it does not act", f->effects.acted[0].did);
    if (!acts(f, cell, is_negative ? other : cell->fact->yes))
        lose(cell, "it acts", "nothing");
    if (!cell->action->is_done(f, cell))
        lose(cell, "it is done", f->effects.acted[0].did);
}

/* --- facts by matchers --- */

static void test_matcher(struct fixture *f, struct cell *cell)
{
    static const struct action_row NOTE = {"note", build_noting, was_noted,
                                           AT_ALL, NULL};
    enum fact_type type = fact_type(&cell->ref);
    struct condition *condition;
    if (!is_tried(cell->matcher, type))
        return;
    begin(f, cell);
    cell->action = NULL;
    int rc = try_test(f, cell->fact->name, cell->matcher->word,
                      filled(cell->fact, cell->matcher), &condition);
    if (cell->stage < fact_stage(&cell->ref)) {
        assert_refused(cell, f, rc, "is not known yet at");
        assert_refused(cell, f, rc, stage_name(fact_stage(&cell->ref)));
    } else if ((cell->matcher->types & 1u << type) == 0) {
        const char *want = cell->matcher->want;
        assert_refused(cell, f, rc,
                       want[0] == '%' ? OF_OTHER_TYPES[type] : want);
    } else {
        cell->action = &NOTE;
        if (rc != 0)
            lose(cell, "it is built", build_error(f->builder));
        built(f, build_when(f->builder, condition));
        built(f, NOTE.build(f, cell));
        end(f);
        finish(f);
        assert_acts(f, cell);
    }
    discard(f);
}

static void each_fact_meets_each_matcher_at_each_stage(void **state)
{
    struct fixture f;
    struct cell cell;
    const char *nearest;
    (void)state;
    fixture_init(&f);
    discard(&f);
    f.action = "REJECT";
    for (size_t i = 0; i < FACT_ROWS; i++) {
        cell.fact = &FACTS[i];
        assert_int_equal(
            fact_ref_parse(str_from(FACTS[i].name), &cell.ref, &nearest), 0);
        assert_int_equal(cell.ref.fact, FACTS[i].fact);
        for (size_t m = 0; m < MATCHER_ROWS; m++) {
            cell.matcher = &MATCHERS[m];
            for (enum stage s = 0; s < STAGE_COUNT; s++) {
                cell.stage = s;
                test_matcher(&f, &cell);
            }
        }
    }
    fixture_release(&f);
}

/* --- facts by actions --- */

static void test_action(struct fixture *f, struct cell *cell)
{
    begin(f, cell);
    when(f, cell->fact->name, cell->matcher->word,
         filled(cell->fact, cell->matcher));
    int rc = cell->action->build(f, cell);
    if ((cell->action->stages & 1u << cell->stage) == 0) {
        assert_refused(cell, f, rc, cell->action->want);
    } else {
        if (rc != 0)
            lose(cell, "it is built", build_error(f->builder));
        end(f);
        finish(f);
        assert_acts(f, cell);
    }
    discard(f);
}

/* Matchers of each kind, for the stages behind the one that learns the fact:
 * there it meets all of them. */
static bool is_one_of_few(const struct matcher_row *matcher)
{
    static const size_t FEW[] = {0, 4, 8, 14};
    for (size_t i = 0; i < sizeof FEW / sizeof FEW[0]; i++)
        if (matcher == &MATCHERS[FEW[i]])
            return true;
    return false;
}

/* A rule can't name in a tag, or rewrite, what must be absent for it to
 * act. */
static bool is_possible(const struct cell *cell)
{
    enum fact_type type = fact_type(&cell->ref);
    bool needs_absence =
        cell->matcher->is_of_absence && cell->matcher->is_negative;
    return (cell->matcher->types & 1u << type) != 0 &&
           (!needs_absence || (cell->action->build != build_tagging &&
                               cell->action->build != build_rewriting)) &&
           (cell->stage == fact_stage(&cell->ref) ||
            is_one_of_few(cell->matcher));
}

static void test_actions(struct fixture *f, struct cell *cell)
{
    for (size_t a = 0; a < ACTION_ROWS; a++) {
        cell->action = &ACTIONS[a];
        for (size_t m = 0; m < MATCHER_ROWS; m++) {
            cell->matcher = &MATCHERS[m];
            if (is_possible(cell))
                test_action(f, cell);
        }
    }
}

static void each_fact_leads_to_each_action_at_each_stage(void **state)
{
    struct fixture f;
    struct cell cell;
    const char *nearest;
    (void)state;
    fixture_init(&f);
    discard(&f);
    f.action = "REJECT";
    for (size_t i = 0; i < FACT_ROWS; i++) {
        cell.fact = &FACTS[i];
        assert_int_equal(
            fact_ref_parse(str_from(FACTS[i].name), &cell.ref, &nearest), 0);
        for (enum stage s = fact_stage(&cell.ref); s < STAGE_COUNT; s++) {
            cell.stage = s;
            test_actions(&f, &cell);
        }
    }
    fixture_release(&f);
}

/* Nobody adds a fact without adding it here. */
static void every_fact_is_in_the_table(void **state)
{
    (void)state;
    for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
        bool is_there = false;
        for (size_t i = 0; i < FACT_ROWS; i++)
            is_there = is_there || FACTS[i].fact == fact;
        if (!is_there)
            fail_msg("%s is not tested", fact_name(fact));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_is_in_the_table),
        cmocka_unit_test(each_fact_meets_each_matcher_at_each_stage),
        cmocka_unit_test(each_fact_leads_to_each_action_at_each_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
