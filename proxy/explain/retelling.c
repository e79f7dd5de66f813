#include "proxy/explain/retelling.h"

#include "config/time_facts.h"
#include "proxy/explain/tracer.h"
#include "proxy/explain/wording.h"
#include "rules/dry_run.h"
#include "rules/ruleset.h"

#define ARENA_CAP ((size_t)64 * 1024 * 1024)
#define KEYS_MAX 16

struct retelling {
    const struct settings *settings;
    struct recorded *line; /* whose figures answer now */
    struct story *story;
    struct arena arena;
    struct facts facts;
    struct effects effects;
    struct tracer tracer;
    struct dry_run run;
    struct verdict verdict;
    bool *is_used; /* the line's limits that have answered */
};

/* --- what was answered then --- */

static bool has_acted(const struct recorded *line, struct str rule)
{
    for (size_t i = 0; i < line->rule_count; i++)
        if (str_equals(line->rules[i].rule, rule))
            return true;
    return false;
}

/* In their order, each once. NULL: the line holds none. */
static const struct recorded_use *next_use(struct retelling *r, struct str rule,
                                           struct str key)
{
    for (size_t i = 0; i < r->line->use_count; i++) {
        const struct recorded_use *use = &r->line->uses[i];
        if (r->is_used[i] || !str_equals(use->rule, rule) ||
            !str_equals_nocase(use->key, key))
            continue;
        r->is_used[i] = true;
        return use;
    }
    return NULL;
}

static void answer_hold(struct retelling *r, const struct question *question,
                        struct answer *answer)
{
    struct str rule = rule_name(question->rule);
    const struct recorded_use *use = next_use(r, rule, question->key);
    if (use == NULL) {
        *answer = (struct answer){.is_within = !has_acted(r->line, rule)};
        story_add_note(r->story,
                       "note: the log has no figures for the limit of \"%.*s\"",
                       (int)rule.n, rule.p);
        return;
    }
    *answer = (struct answer){.before = use->before,
                              .after = use->after,
                              .retry_after_ms = use->retry_after_ms};
    if (question->is_charge)
        answer->is_within = use->after <= use->max;
    else
        answer->is_within = use->after >= use->before + question->cost;
}

/* What the list held is not in the log, but what the rule did is. */
static void answer_listed(struct retelling *r, const struct question *question,
                          struct answer *answer)
{
    struct str name = question->list->name;
    *answer = (struct answer){
        .is_listed = has_acted(r->line, rule_name(question->rule))};
    story_add_note(r->story,
                   "note: what the list %.*s held then is not in the log; it "
                   "is taken to be as the rule acted",
                   (int)name.n, name.p);
}

static bool continues(const struct retelling *r, struct str server)
{
    const struct settings *settings = r->settings;
    for (size_t i = 0; i < settings->policy_server_count; i++)
        if (str_equals(settings->policy_servers[i].name, server))
            return settings->policy_servers[i].continues;
    return true;
}

static void answer_ask(struct retelling *r, const struct question *question,
                       struct answer *answer)
{
    *answer = (struct answer){.action = STR("DUNNO")};
    for (size_t i = 0; i < r->line->ask_count; i++) {
        struct recorded_ask *ask = &r->line->asks[i];
        if (ask->is_used || !str_equals(ask->server, question->server))
            continue;
        ask->is_used = true;
        if (ask->action.p != NULL)
            answer->action = ask->action;
        else if (!continues(r, question->server))
            answer->action = (struct str){0};
        return;
    }
    story_add_note(r->story,
                   "note: the log has no answer of the policy server %.*s",
                   (int)question->server.n, question->server.p);
}

static bool on_question(void *owner, const struct question *question,
                        struct answer *answer)
{
    struct retelling *r = owner;
    switch (question->kind) {
    case QUESTION_HOLD:
        answer_hold(r, question, answer);
        break;
    case QUESTION_LISTED:
        answer_listed(r, question, answer);
        break;
    case QUESTION_ASK:
        answer_ask(r, question, answer);
        break;
    }
    return true;
}

/* --- the stages --- */

static bool give_up(struct retelling *r)
{
    r->story->is_full = true;
    return false;
}

static bool run_stage(struct retelling *r, enum stage stage, struct str subject)
{
    uint64_t now_ms = r->line->time_us / 1000;
    time_facts_set(&r->facts, now_ms / 1000);
    tracer_begin(&r->tracer, stage, subject);
    dry_run_stage(&r->run, stage, &r->facts, &r->effects, now_ms, &r->verdict);
    tracer_end(&r->tracer, &r->verdict);
    r->effects.delay_ms = 0;
    return r->verdict.kind == VERDICT_PASS;
}

/* From now on this line's figures answer. */
static bool take_line(struct retelling *r, struct recorded *line)
{
    r->line = line;
    r->is_used = arena_array(&r->arena, line->use_count + 1, sizeof(bool));
    return r->is_used != NULL || give_up(r);
}

static bool run_connection(struct retelling *r, struct recorded *line)
{
    if (!take_line(r, line))
        return false;
    if (recorded_learn_connect(line, &r->facts) != 0)
        return give_up(r);
    if (!run_stage(r, STAGE_CONNECT, line->client_ip))
        return false;
    recorded_learn_tls(line, &r->facts);
    for (size_t i = 0; i < line->helo_count; i++) {
        recorded_learn_helo(&line->helos[i], &r->facts);
        if (!run_stage(r, STAGE_HELO, line->helos[i].name) &&
            r->verdict.kind == VERDICT_CLOSE)
            return false;
    }
    return true;
}

static bool run_login(struct retelling *r, struct recorded *line)
{
    if (!line->has_auth)
        return true;
    recorded_learn_auth(line, &r->facts);
    return run_stage(r, STAGE_AUTH,
                     line->auth_user.p == NULL ? line->auth_name
                                               : line->auth_user);
}

/* `route`: what rules said so far, or where it went. */
static void learn_upstream(struct retelling *r, struct str route)
{
    struct str listener =
        r->line->listener.p == NULL ? STR("") : r->line->listener;
    struct str name = settings_route(r->settings, listener, route);
    if (name.n > 0)
        facts_set_text(&r->facts, FACT_UPSTREAM_NAME, name);
}

static bool run_recipients(struct retelling *r)
{
    struct recorded *line = r->line;
    bool has_accepted = line->recipient_count == 0;
    struct str route = r->effects.route;
    for (size_t i = 0; i < line->recipient_count; i++) {
        struct recorded_recipient *to = &line->recipients[i];
        if (to->to.p == NULL)
            continue;
        r->effects.route = route;
        recorded_learn_rcpt(line, i, &r->facts);
        learn_upstream(r, route);
        if (!run_stage(r, STAGE_RCPT, to->to)) {
            if (r->verdict.kind == VERDICT_CLOSE)
                return false;
            continue;
        }
        if (to->upstream.code != 0) {
            recorded_learn_reply(line, to, &r->facts);
            (void)run_stage(r, STAGE_REPLY, to->to);
        }
        has_accepted = has_accepted || to->verdict == RECORDED_ACCEPT;
    }
    learn_upstream(r,
                   line->upstream_name.p == NULL ? route : line->upstream_name);
    return has_accepted;
}

static struct str domain_of(struct str address)
{
    ptrdiff_t at = str_last_index(address, '@');
    return at < 0 ? STR("") : str_skip(address, (size_t)at + 1);
}

static bool holds_nocase(const struct str *items, size_t count, struct str item)
{
    for (size_t i = 0; i < count; i++)
        if (str_equals_nocase(items[i], item))
            return true;
    return false;
}

static bool learn_data(struct retelling *r)
{
    struct recorded *line = r->line;
    size_t count = 0, domain_count = 0;
    struct str *accepted =
        arena_array(&r->arena, line->recipient_count + 1, sizeof *accepted);
    struct str *domains =
        arena_array(&r->arena, line->recipient_count + 1, sizeof *domains);
    if (accepted == NULL || domains == NULL)
        return give_up(r);
    for (size_t i = 0; i < line->recipient_count; i++) {
        const struct recorded_recipient *to = &line->recipients[i];
        if (to->verdict != RECORDED_ACCEPT)
            continue;
        accepted[count] = to->sent.p == NULL ? to->to : to->sent;
        struct str domain = domain_of(accepted[count++]);
        if (!holds_nocase(domains, domain_count, domain))
            domains[domain_count++] = domain;
    }
    facts_set_list(&r->facts, FACT_DATA_RECIPIENTS, accepted, count);
    facts_set_list(&r->facts, FACT_DATA_DOMAINS, domains, domain_count);
    return true;
}

static bool run_content(struct retelling *r)
{
    struct recorded *line = r->line;
    struct header_fields fields;
    bool has_data = line->data_us != RECORDED_NEVER || line->has_header ||
                    (line->has_stage && line->stage >= STAGE_DATA &&
                     line->stage != STAGE_REPLY);
    if (!has_data)
        return true;
    if (!learn_data(r) || !run_stage(r, STAGE_DATA, STR("")))
        return false;
    if (!line->has_header)
        return true;
    if (recorded_learn_header(line, &r->arena, &fields, &r->facts) != 0)
        return give_up(r);
    if (!run_stage(r, STAGE_HEADER, STR("")))
        return false;
    facts_set_header(&r->facts, NULL); /* it lies in this frame */
    if (!line->has_message && line->stopped_at == 0)
        return true;
    recorded_learn_message(line, &r->facts);
    if (!run_stage(r, STAGE_MESSAGE, STR("")))
        return false;
    if (line->upstream_reply.code == 0)
        return true;
    recorded_learn_reply(line, NULL, &r->facts);
    (void)run_stage(r, STAGE_REPLY, STR(""));
    return true;
}

static bool run_transaction(struct retelling *r, struct recorded *line)
{
    if (!take_line(r, line) || !run_login(r, line))
        return false;
    if (line->mail_from.p == NULL)
        return true;
    recorded_learn_mail(line, &r->facts);
    return run_stage(r, STAGE_MAIL, line->mail_from) && run_recipients(r) &&
           run_content(r);
}

/* --- beginning and end --- */

/* A rule that names such a fact may have seen more than the log tells. */
static void name_missing(struct retelling *r, const struct recorded *line)
{
    const struct ruleset *rules = r->settings->rules;
    for (size_t i = 0; i < ruleset_fact_count(rules); i++) {
        const struct fact_ref *ref = ruleset_fact(rules, i);
        enum stage stage = fact_stage(ref);
        bool is_reached = stage < STAGE_HEADER ||
                          (stage == STAGE_HEADER && line->has_header) ||
                          (stage == STAGE_MESSAGE && line->has_message);
        if (!is_reached || recorded_holds(line, ref))
            continue;
        struct str name = wording_fact(&r->story->arena, ref);
        story_add_note(r->story,
                       "note: the log does not hold %.*s, which rules name",
                       (int)name.n, name.p);
    }
}

static int begin(struct retelling *r, const struct settings *settings,
                 struct story *story)
{
    static const uint8_t secret[16] = {0};
    *r = (struct retelling){.settings = settings, .story = story};
    story->is_recorded = true;
    story->is_accepted = true;
    arena_init(&r->arena, ARENA_CAP);
    facts_init(&r->facts);
    effects_init(&r->effects, &r->arena);
    tracer_init(&r->tracer, story, &r->facts, &r->effects);
    r->run = (struct dry_run){.rules = settings->rules,
                              .scratch = evaluate_scratch_new(),
                              .ledger = ledger_new(KEYS_MAX, secret),
                              .trace = &r->tracer.trace,
                              .on_question = on_question,
                              .owner = r};
    if (r->run.scratch != NULL)
        evaluate_scratch_limit(r->run.scratch, settings->caps.pattern_steps);
    return r->run.scratch == NULL || r->run.ledger == NULL ? -1 : 0;
}

static int end(struct retelling *r)
{
    bool is_full = r->story->is_full;
    ledger_free(r->run.ledger);
    evaluate_scratch_free(r->run.scratch);
    arena_release(&r->arena);
    return is_full ? -1 : 0;
}

int retell(const struct settings *settings, struct recorded *transaction,
           struct recorded *session, struct story *story)
{
    struct retelling r;
    if (begin(&r, settings, story) != 0)
        story->is_full = true;
    else if (session != NULL)
        story->is_accepted = run_connection(&r, session);
    else if (!take_line(&r, transaction) ||
             recorded_learn_connect(transaction, &r.facts) != 0)
        story->is_full = true;
    recorded_learn_tls(transaction, &r.facts);
    if (session == NULL && transaction->helo_name.p != NULL)
        facts_set_text(&r.facts, FACT_HELO_NAME, transaction->helo_name);
    name_missing(&r, transaction);
    if (!story->is_full && story->is_accepted)
        story->is_accepted = run_transaction(&r, transaction);
    return end(&r);
}

int retell_session(const struct settings *settings, struct recorded *session,
                   struct recorded *attempt, struct story *story)
{
    struct retelling r;
    if (begin(&r, settings, story) != 0)
        story->is_full = true;
    else
        story->is_accepted = run_connection(&r, session);
    if (story->is_accepted && !story->is_full && attempt != NULL)
        story->is_accepted = run_login(&r, attempt);
    return end(&r);
}
