#include "proxy/session/policy.h"

#include "config/time_facts.h"
#include "proxy/session/policy_reply.h"
#include "proxy/session/policy_run.h"
#include "proxy/session/session_log.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/shadow.h"
#include "proxy/session/transaction.h"
#include "rules/list.h"

/* A message that is under way may end at any time. */
#define HELD_UP_RETRY_MS 1000

/* What the log says of when a stage was asked is the time that its budgets
 * were asked with: a replay comes to the same figures. */
static uint64_t budget_now_ms(const struct session *s)
{
    return (s->awaited == NULL ? s->asked_us : loop_clock_us(s->host->loop)) /
           1000;
}

static void apply_list_changes(struct session *s, struct effects *effects)
{
    uint64_t now = budget_now_ms(s);
    for (size_t i = 0; i < effects->list_change_count; i++) {
        const struct list_change *change = &effects->list_changes[i];
        struct str list = change->list->name;
        bool is_done = budget_store_apply(&s->host->budgets, change, now);
        session_log_list(s, change, is_done);
        if (!is_done)
            server_log_write(s->host->log, SERVER_ERROR,
                             "%s: list %.*s is full: \"%.*s\" was not added",
                             session_current_id(s), (int)list.n, list.p,
                             (int)str_head(change->value, 200).n,
                             change->value.p);
    }
    effects->list_change_count = 0;
}

static void log_warnings(const struct session *s, struct effects *effects)
{
    for (size_t i = 0; i < effects->use_count; i++) {
        struct limit_use *use = &effects->uses[i];
        if (use->is_warning && use->is_unwritten)
            session_log_limit(s, use);
        use->is_unwritten = false;
    }
}

static void log_fault(const struct session *s, enum stage stage,
                      const struct verdict *verdict)
{
    struct str rule =
        verdict->rule == NULL ? STR("-") : rule_name(verdict->rule);
    server_log_write(s->host->log, SERVER_ERROR,
                     "%s: the rules of stage %s failed: rule \"%.*s\": %s",
                     session_current_id(s), stage_name(stage), (int)rule.n,
                     rule.p, verdict->fault == NULL ? "?" : verdict->fault);
}

/* The transaction's arena may not hold what outlives it: a hold that is new
 * since the login moves into the session's arena. */
static void keep_session_holds(struct session *s, const struct effects *again)
{
    struct effects *mine = &s->effects;
    for (size_t i = mine->hold_count; i < again->hold_count; i++) {
        struct hold hold = again->holds[i];
        struct hold *grown =
            arena_grow(&s->arena, mine->holds, mine->hold_count,
                       &mine->hold_capacity, sizeof *grown);
        hold.key = arena_str(&s->arena, hold.key);
        if (grown == NULL || hold.key.p == NULL) {
            hold.key = again->holds[i].key;
            budget_store_give_back(&s->host->budgets, &hold,
                                   loop_now_ms(s->host->loop));
            continue;
        }
        mine->holds = grown;
        mine->holds[mine->hold_count++] = hold;
    }
}

static const struct rule *find_rule(const struct ruleset *rules,
                                    enum stage stage, struct str name)
{
    for (size_t i = 0; i < ruleset_count(rules, stage); i++)
        if (str_equals(rule_name(ruleset_rule(rules, stage, i)), name))
            return ruleset_rule(rules, stage, i);
    return NULL;
}

/* What the session holds under a rule is held under the rule of that name in
 * the transaction's snapshot too: it is not counted again. */
static void translate_holds(struct transaction *t, struct effects *again)
{
    struct hold *holds =
        arena_array(&t->arena, again->hold_count, sizeof *holds);
    for (size_t i = 0; holds != NULL && i < again->hold_count; i++) {
        holds[i] = again->holds[i];
        const struct rule *rule =
            find_rule(t->settings->rules, rule_stage(holds[i].rule),
                      rule_name(holds[i].rule));
        if (rule != NULL)
            holds[i].rule = rule;
    }
    if (holds != NULL)
        again->holds = holds;
}

/* Rules of a newer snapshot than the session's may be gone before it ends:
 * what was held under them ends with the transaction. */
static void keep_holds(struct session *s, struct effects *again)
{
    size_t before = s->effects.hold_count;
    if (s->settings == s->transaction->settings) {
        keep_session_holds(s, again);
        again->holds = NULL;
        again->hold_count = again->hold_capacity = 0;
        return;
    }
    again->holds = again->hold_count == before ? NULL : &again->holds[before];
    again->hold_count -= before;
    again->hold_capacity = again->hold_count;
}

static bool is_auth_again(const struct policy_run *run)
{
    return run->stage == STAGE_AUTH && run->effects != &run->session->effects;
}

void policy_run_leave(const struct policy_run *run)
{
    if (is_auth_again(run))
        keep_holds(run->session, run->effects);
}

/* Who is held back is asked with the time that the log will tell. */
static uint64_t asked_at_ms(const struct policy_run *run)
{
    return run->paced_ms > 0 ? run->session->asked_us / 1000
                             : budget_now_ms(run->session);
}

/* Of a question whose answer is there: false when it is asked again later. */
static bool is_final(struct policy_run *run)
{
    struct session *s = run->session;
    struct answer *answer = &run->answer;
    answer->paced_ms = run->paced_ms;
    if (!run->question.is_paced || answer->is_within)
        return true;
    struct str upstream = facts_text(&s->facts, FACT_UPSTREAM_NAME);
    uint64_t pace_ms = transaction_find_upstream(s, upstream)->pace_ms;
    run->retry_ms =
        answer->is_held_up ? HELD_UP_RETRY_MS : answer->retry_after_ms;
    if (run->paced_ms >= pace_ms || run->retry_ms > pace_ms - run->paced_ms)
        return true;
    run->need = NEED_TIME;
    return false;
}

/* The log tells of decisions that the store had no part in. */
static void note_answered(const struct policy_run *run,
                          enum budget_answered how)
{
    enum budget_answered *noted = run->transaction != NULL
                                      ? &run->transaction->budgets
                                      : &run->session->budgets;
    if (how > *noted)
        *noted = how;
}

/* What one that only pretends asks defers nobody. */
static void ask_here(struct policy_run *run)
{
    enum budget_answered how =
        budget_store_answer(&run->session->host->budgets, &run->question,
                            asked_at_ms(run), &run->answer);
    note_answered(run, how);
    run->is_deferred = how == BUDGET_DEFERRED && !run->question.is_shadow;
}

bool policy_run_take(struct policy_run *run, const struct answer *answer)
{
    run->answer = *answer;
    budget_store_learn(&run->session->host->budgets, &run->question, answer,
                       asked_at_ms(run));
    if (!is_final(run))
        return false;
    evaluate_answer(&run->evaluation, &run->answer);
    return true;
}

bool policy_run_do_without(struct policy_run *run)
{
    ask_here(run);
    if (run->is_deferred)
        return true;
    if (!is_final(run))
        return false;
    evaluate_answer(&run->evaluation, &run->answer);
    return true;
}

bool policy_run_ask_budget(struct policy_run *run)
{
    if (!budget_store_is_to_be_asked(&run->session->host->budgets))
        return policy_run_do_without(run);
    run->need = NEED_STORE;
    return false;
}

void policy_run_learn_known(struct policy_run *run)
{
    struct session *s = run->session;
    bool is_known = budget_store_knows(&s->host->budgets, run->known_as,
                                       facts_text(&s->facts, FACT_CLIENT_NET),
                                       loop_now_ms(s->host->loop));
    facts_set_text(&s->facts, FACT_CLIENT_KNOWN,
                   is_known ? STR("true") : STR("false"));
}

/* One that only pretends is told what changes nothing. */
static bool answer_here(struct policy_run *run)
{
    if (run->question.kind != QUESTION_ASK)
        return policy_run_ask_budget(run);
    if (!run->question.is_shadow) {
        run->need = NEED_SERVER;
        return false;
    }
    run->answer = (struct answer){.action = STR("DUNNO")};
    evaluate_answer(&run->evaluation, &run->answer);
    return true;
}

/* The rule can't be followed, nor may it be passed over. */
static struct verdict defer(const struct policy_run *run)
{
    return (struct verdict){
        .kind = VERDICT_DEFER,
        .code = 451,
        .enhanced = STR("4.3.0"),
        .text = STR("Limits can't be checked now, try again later"),
        .rule = run->question.rule,
    };
}

static enum evaluate_result go_on(struct policy_run *run)
{
    do {
        if (run->is_deferred) {
            run->verdict = defer(run);
            return EVALUATE_VERDICT;
        }
        if (evaluate(&run->evaluation, &run->question, &run->verdict) ==
            EVALUATE_VERDICT)
            return EVALUATE_VERDICT;
    } while (answer_here(run));
    return EVALUATE_QUESTION;
}

enum evaluate_result policy_run_on(struct policy_run *run)
{
    struct session *s = run->session;
    struct loop *loop = s->host->loop;
    uint64_t before = loop_clock_us(loop);
    enum evaluate_result result = go_on(run);
    if (run->transaction != NULL)
        run->transaction->policy_us += loop_clock_us(loop) - before;
    if (result == EVALUATE_QUESTION)
        return result;
    policy_run_leave(run);
    apply_list_changes(s, run->effects);
    log_warnings(s, run->effects);
    if (run->verdict.kind == VERDICT_FAULT)
        log_fault(s, run->stage, &run->verdict);
    if (run->stage != STAGE_REPLY)
        shadow_compare(s, run->stage, &run->verdict);
    return result;
}

/* Where the transaction goes; of a recipient that may go elsewhere, where the
 * rules before its own have sent it. */
static void learn_upstream(struct session *s, enum stage stage)
{
    const struct transaction *t = s->transaction;
    if (t == NULL || stage < STAGE_RCPT || stage == STAGE_REPLY)
        return;
    const struct upstream_settings *upstream = t->upstream;
    if (upstream == NULL ||
        (stage == STAGE_RCPT && t->settings->split == SPLIT_DEFER))
        upstream = transaction_find_upstream(s, t->route);
    facts_set_text(&s->facts, FACT_UPSTREAM_NAME, upstream->name);
}

/* False: there is nothing to ask; what is held may want correction. */
static bool start(struct policy_run *run)
{
    struct session *s = run->session;
    const struct ruleset *rules = session_settings(s)->rules;
    s->asked_us = loop_clock_us(s->host->loop);
    if (s->transaction != NULL)
        s->transaction->stage_us[run->stage] = s->asked_us;
    /* time.* is read when the rule runs (design 3.1). */
    time_facts_set(&s->facts, loop_wall_us(s->host->loop) / 1000000);
    learn_upstream(s, run->stage);
    if (run->stage != STAGE_REPLY)
        shadow_ask(s, run->stage);
    if (ruleset_count(rules, run->stage) == 0 && run->stage != STAGE_MESSAGE) {
        run->verdict = (struct verdict){.kind = VERDICT_PASS};
        policy_run_leave(run);
        if (run->stage != STAGE_REPLY)
            shadow_compare(s, run->stage, &run->verdict);
        return false;
    }
    evaluate_start(&run->evaluation, rules, run->stage, &s->facts, run->effects,
                   s->host->scratch);
    return true;
}

void policy_run_start(struct policy_run *run)
{
    if (start(run))
        policy_run_finish(run);
    else
        policy_run_tell(run);
}

/* The rest has no meaning before evaluate_start(): it is large. */
static void init(struct policy_run *run, struct session *s, enum stage stage,
                 struct effects *effects, policy_then *then)
{
    run->session = s;
    run->transaction = s->transaction;
    run->stage = stage;
    run->effects = effects;
    run->then = then;
    run->is_deferred = false;
    run->paced_ms = 0;
}

static void ask(struct session *s, enum stage stage, struct effects *effects,
                policy_then *then)
{
    struct policy_run run;
    init(&run, s, stage, effects, then);
    policy_run_start(&run);
}

void policy_ask_session(struct session *s, enum stage stage, policy_then *then)
{
    ask(s, stage, &s->effects, then);
}

void policy_ask_login(struct session *s, struct str user, policy_then *then)
{
    struct policy_run run;
    init(&run, s, STAGE_AUTH, &s->effects, then);
    run.known_as = user;
    if (budget_store_is_to_be_asked(&s->host->budgets) &&
        policy_run_ask_known(&run))
        return;
    policy_run_learn_known(&run);
    policy_run_start(&run);
}

void policy_ask_auth_again(struct session *s, policy_then *then)
{
    struct transaction *t = s->transaction;
    /* A copy whose arrays look full: what is appended grows by copying into
     * the transaction's arena, and the session's own stay as they were. */
    struct effects again = s->effects;
    again.arena = &t->arena;
    again.acted = NULL;
    again.acted_count = again.acted_capacity = 0;
    again.uses = NULL;
    again.use_count = again.use_capacity = 0;
    again.tags = again.notes = NULL;
    again.tag_count = again.tag_capacity = 0;
    again.note_count = again.note_capacity = 0;
    again.hold_capacity = again.hold_count;
    again.edit_capacity = again.edit_count;
    again.added_capacity = again.added_count;
    if (s->settings != t->settings)
        translate_holds(t, &again);
    t->effects = again;
    ask(s, STAGE_AUTH, &t->effects, then);
}

void policy_ask(struct session *s, enum stage stage, policy_then *then)
{
    ask(s, stage, &s->transaction->effects, then);
}

void policy_ask_reply(struct session *s, const struct recipient *recipient)
{
    struct transaction *t = s->transaction;
    struct policy_run run;
    /* Another stage may be suspended: what it is to hold is its own. */
    uint64_t delay = t->effects.delay_ms;
    init(&run, s, STAGE_REPLY, &t->effects, NULL);
    shadow_ask_reply(s, recipient);
    if (start(&run) && policy_run_on(&run) == EVALUATE_QUESTION)
        policy_reply_await(&run);
    t->effects.delay_ms = delay;
}

void policy_ask_exceeded(struct session *s, struct verdict *verdict)
{
    struct transaction *t = s->transaction;
    evaluate_exceeded(&s->facts, &t->effects, s->host->scratch,
                      t->content.bytes, verdict);
}

void policy_release_session(struct session *s)
{
    for (size_t i = 0; i < s->effects.hold_count; i++)
        budget_store_give_back(&s->host->budgets, &s->effects.holds[i],
                               loop_now_ms(s->host->loop));
    s->effects.hold_count = 0;
}
