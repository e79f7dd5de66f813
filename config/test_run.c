#include "config/test_run.h"

#include "config/time_facts.h"

#include <inttypes.h>
#include <stdio.h>

#define ARENA_CAP (4 * 1024 * 1024)
#define KEYS_MAX 200000
/* The clock of a test begins here; any time would do. */
#define EPOCH_MS (UINT64_C(1767603600) * 1000)

int test_run_init(struct test_run *run, const struct settings *settings,
                  struct evaluate_scratch *scratch, size_t keys)
{
    static const uint8_t secret[16] = {0};
    if (keys > KEYS_MAX)
        keys = KEYS_MAX;
    *run = (struct test_run){.settings = settings,
                             .scratch = scratch,
                             .now_ms = EPOCH_MS,
                             .ledger = ledger_new(keys, secret)};
    arena_init(&run->arena, ARENA_CAP);
    return run->ledger == NULL ? -1 : 0;
}

void test_run_release(struct test_run *run)
{
    ledger_free(run->ledger);
    arena_release(&run->arena);
}

struct str test_run_text(struct test_run *run, struct str text, uint64_t n)
{
    static const struct str mark = STR_INIT("{n}");
    struct str out = STR("");
    while (text.n > 0) {
        size_t i = 0;
        while (i < text.n && !str_starts_with(str_skip(text, i), mark))
            i++;
        bool is_found = i < text.n;
        struct str head = str_head(text, i);
        char digits[24];
        snprintf(digits, sizeof digits, "%" PRIu64, n);
        out = arena_printf(&run->arena, "%.*s%.*s%s", (int)out.n, out.p,
                           (int)head.n, head.p, is_found ? digits : "");
        if (out.p == NULL)
            return out;
        text = str_skip(text, is_found ? i + mark.n : i);
    }
    return out;
}

/* --- the facts --- */

/* `header.subject: text` is the field `subject: text` of the message. */
static int add_header(struct test_run *run, struct str name, struct str value)
{
    struct str raw = arena_printf(&run->arena, "%.*s: %.*s\r\n", (int)name.n,
                                  name.p, (int)value.n, value.p);
    if (raw.p == NULL)
        return -1;
    struct header_field field = {
        .name = str_head(raw, name.n),
        .body = str_span(raw.p + name.n + 1, value.n + 1),
        .raw = raw,
    };
    return header_fields_append(&run->header, &field);
}

static int set_fact(struct test_run *run, const struct test_fact *given,
                    uint64_t n)
{
    struct str *values = arena_array(&run->arena, given->count, sizeof *values);
    if (values == NULL)
        return -1;
    for (size_t i = 0; i < given->count; i++) {
        values[i] = test_run_text(run, given->values[i], n);
        if (values[i].p == NULL)
            return -1;
    }
    enum fact fact = given->ref.fact;
    if (fact == FACT_HEADER) {
        for (size_t i = 0; i < given->count; i++)
            if (add_header(run, given->ref.header, values[i]) != 0)
                return -1;
    } else if (fact_type(&given->ref) == FACT_TYPE_NUMBER) {
        facts_set_number(&run->facts, fact, given->number);
    } else if (fact_is_list(&given->ref)) {
        facts_set_list(&run->facts, fact, values, given->count);
    } else if (fact != FACT_RCPT_TO) {
        facts_set_text(&run->facts, fact, values[0]);
    }
    return 0;
}

static void default_text(struct facts *facts, enum fact fact, enum fact from)
{
    if (facts_know(facts, from) && !facts_know(facts, fact))
        facts_set_text(facts, fact, facts_text(facts, from));
}

static void default_number(struct facts *facts, enum fact fact, uint64_t value)
{
    if (!facts_know(facts, fact))
        facts_set_number(facts, fact, value);
}

/* What a stage has learned is never absent: of a login that the test states,
 * all the rest is known too. */
static void complete_login(struct facts *facts)
{
    if (!facts_know(facts, FACT_AUTH_USER))
        return;
    default_text(facts, FACT_AUTH_NAME, FACT_AUTH_USER);
    if (!facts_know(facts, FACT_AUTH_RESULT))
        facts_set_text(facts, FACT_AUTH_RESULT, STR("ok"));
    if (!facts_know(facts, FACT_AUTH_ADDRESSES))
        facts_set_list(facts, FACT_AUTH_ADDRESSES, NULL, 0);
    if (!facts_know(facts, FACT_AUTH_GROUPS))
        facts_set_list(facts, FACT_AUTH_GROUPS, NULL, 0);
}

static int complete_client(struct test_run *run)
{
    struct ip ip;
    struct str text = facts_text(&run->facts, FACT_CLIENT_IP);
    if (facts_know(&run->facts, FACT_CLIENT_NET) || ip_parse(text, &ip) != 0)
        return 0;
    struct str net = ip_net_text(&run->arena, &ip);
    if (net.p == NULL)
        return -1;
    facts_set_text(&run->facts, FACT_CLIENT_NET, net);
    return 0;
}

/* What every message has, whatever the test is about. */
static void complete_moment(struct test_run *run)
{
    struct facts *facts = &run->facts;
    if (!facts_know(facts, FACT_TIME_DATE) &&
        time_date_write(facts->date, run->now_ms / 1000))
        facts_set_text(facts, FACT_TIME_DATE, str_from(facts->date));
    if (!facts_know(facts, FACT_MAIL_ID))
        facts_set_text(facts, FACT_MAIL_ID, STR("000000000001"));
}

static int set_facts(struct test_run *run, const struct test_step *step,
                     uint64_t n)
{
    for (size_t i = 0; i < step->given_count; i++)
        if (set_fact(run, &step->given[i], n) != 0)
            return -1;
    complete_login(&run->facts);
    complete_moment(run);
    default_text(&run->facts, FACT_MAIL_ORIGINAL, FACT_MAIL_FROM);
    return complete_client(run);
}

/* --- the stages --- */

static bool is_stated(const struct test_step *step, enum stage stage)
{
    for (size_t i = 0; i < step->given_count; i++) {
        const struct fact_ref *ref = &step->given[i].ref;
        /* A test of `reply` gives it too, and has no recipient to ask for. */
        enum stage learned =
            ref->fact == FACT_UPSTREAM_NAME ? STAGE_REPLY : fact_stage(ref);
        if (learned == stage)
            return true;
    }
    return false;
}

/* What the test says that a policy server says. */
static bool on_question(void *owner, const struct question *question,
                        struct answer *answer)
{
    const struct test_step *step = owner;
    if (question->kind != QUESTION_ASK)
        return false;
    for (size_t i = 0; i < step->answer_count; i++) {
        if (!str_equals(step->answers[i].server, question->server))
            continue;
        *answer = (struct answer){.action = step->answers[i].action};
        return true;
    }
    return false;
}

static struct dry_run dry_run_of(const struct test_run *run)
{
    return (struct dry_run){.rules = run->settings->rules,
                            .scratch = run->scratch,
                            .ledger = run->ledger,
                            .on_question = on_question,
                            .owner = (void *)(uintptr_t)run->step};
}

/* Whether the message goes on. */
static bool run_stage(struct test_run *run, enum stage stage)
{
    struct dry_run dry = dry_run_of(run);
    run->stage = stage;
    dry_run_stage(&dry, stage, &run->facts, &run->effects, run->now_ms,
                  &run->verdict);
    return run->verdict.kind == VERDICT_PASS;
}

static const struct test_fact *find_given(const struct test_step *step,
                                          enum fact fact)
{
    for (size_t i = 0; i < step->given_count; i++)
        if (step->given[i].ref.fact == fact)
            return &step->given[i];
    return NULL;
}

static struct str domain_of(struct str address)
{
    ptrdiff_t at = str_last_index(address, '@');
    return at < 0 ? STR("") : str_skip(address, (size_t)at + 1);
}

static bool is_new_domain(const struct str *recipients, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (str_equals_nocase(domain_of(recipients[j]),
                              domain_of(recipients[i])))
            return false;
    return true;
}

struct str test_run_route(const struct test_run *run)
{
    return settings_route(run->settings, facts_text(&run->facts, FACT_LISTENER),
                          run->effects.route);
}

/* All go the way of the first: another waits, or goes along. */
static bool is_route_fine(struct test_run *run, struct str first)
{
    if (str_equals(test_run_route(run), first))
        return true;
    if (run->settings->split == SPLIT_FIRST) {
        run->effects.route = first;
        return true;
    }
    run->verdict = (struct verdict){
        .kind = VERDICT_DEFER,
        .code = 452,
        .enhanced = STR("4.5.3"),
        .text = STR("This recipient takes another route, send it separately"),
    };
    return false;
}

/* `first`: where the first recipient goes; n 0: this is the first. */
static void learn_upstream(struct test_run *run, const struct test_step *step,
                           struct str first)
{
    struct str name = test_run_route(run);
    if (first.n > 0 && run->settings->split == SPLIT_FIRST)
        name = first;
    if (name.n > 0 && find_given(step, FACT_UPSTREAM_NAME) == NULL)
        facts_set_text(&run->facts, FACT_UPSTREAM_NAME, name);
}

/* A list of recipients is so many RCPTs. */
static bool run_recipients(struct test_run *run, const struct test_step *step,
                           uint64_t n)
{
    const struct test_fact *to = find_given(step, FACT_RCPT_TO);
    bool counts = find_given(step, FACT_RCPT_COUNT) == NULL;
    bool counts_domains = find_given(step, FACT_RCPT_DOMAINS) == NULL;
    bool has_original = find_given(step, FACT_RCPT_ORIGINAL) != NULL;
    const struct str route = run->effects.route;
    struct str first = STR("");
    uint64_t domains = 0;
    for (size_t i = 0; i < (to == NULL ? 1 : to->count); i++) {
        if (counts)
            facts_set_number(&run->facts, FACT_RCPT_COUNT, i + 1);
        if (to != NULL) {
            struct str text = test_run_text(run, to->values[i], n);
            domains += is_new_domain(to->values, i) ? 1 : 0;
            facts_set_text(&run->facts, FACT_RCPT_TO, text);
            if (!has_original)
                facts_set_text(&run->facts, FACT_RCPT_ORIGINAL, text);
            if (counts_domains)
                facts_set_number(&run->facts, FACT_RCPT_DOMAINS, domains);
        }
        run->effects.route = route;
        learn_upstream(run, step, first);
        if (!run_stage(run, STAGE_RCPT))
            return false;
        if (i == 0)
            first = test_run_route(run);
        if (!is_route_fine(run, first))
            return false;
    }
    learn_upstream(run, step, first);
    return true;
}

static bool run_header(struct test_run *run)
{
    struct facts *facts = &run->facts;
    facts_set_header(facts, &run->header);
    default_number(facts, FACT_HEADERS_COUNT, run->header.count);
    default_number(facts, FACT_HEADERS_BYTES,
                   header_fields_bytes(&run->header));
    default_number(facts, FACT_HEADERS_HOPS, header_fields_hops(&run->header));
    for (size_t i = 0; i < run->effects.edit_count; i++)
        header_fields_edit(&run->header, &run->effects.edits[i]);
    return run_stage(run, STAGE_HEADER);
}

/* A `size` limit of an earlier stage holds for the octets that come. */
static bool run_message_stage(struct test_run *run)
{
    const struct fact_value *bytes = &run->facts.values[FACT_MESSAGE_BYTES];
    run->stage = STAGE_MESSAGE;
    if (run->effects.size_rule == NULL || !bytes->is_known ||
        bytes->number <= run->effects.size_max)
        return run_stage(run, STAGE_MESSAGE);
    evaluate_exceeded(&run->facts, &run->effects, run->scratch, bytes->number,
                      &run->verdict);
    return run->verdict.kind == VERDICT_PASS;
}

static bool run_any_stage(struct test_run *run, const struct test_step *step,
                          enum stage stage, uint64_t n)
{
    switch (stage) {
    case STAGE_RCPT:
        return run_recipients(run, step, n);
    case STAGE_HEADER:
        return run_header(run);
    case STAGE_MESSAGE:
        return run_message_stage(run);
    default:
        return run_stage(run, stage);
    }
}

static bool is_refused_upstream(const struct test_step *step)
{
    const struct test_fact *code = find_given(step, FACT_REPLY_CODE);
    return code != NULL && code->number >= 400;
}

int test_run_message(struct test_run *run, const struct test_step *step,
                     uint64_t n)
{
    arena_reset(&run->arena);
    run->step = step;
    facts_init(&run->facts);
    effects_init(&run->effects, &run->arena);
    header_fields_init(&run->header, &run->arena);
    run->verdict = (struct verdict){.kind = VERDICT_PASS};
    if (set_facts(run, step, n) != 0)
        return -1;
    bool goes_on = true;
    for (int stage = 0; goes_on && stage < STAGE_COUNT; stage++)
        if (is_stated(step, (enum stage)stage))
            goes_on = run_any_stage(run, step, (enum stage)stage, n);
    /* The upstream takes what passed, unless the test says otherwise. */
    struct dry_run dry = dry_run_of(run);
    bool is_taken = goes_on && !is_refused_upstream(step);
    dry_run_settle(&dry, &run->effects, is_taken, run->now_ms);
    return 0;
}
