#include "proxy/session/policy.h"

#include <string.h>
#include <time.h>

#include "proxy/session/session_log.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

static const struct str WEEKDAYS[7] = {
    STR_INIT("sunday"),    STR_INIT("monday"),   STR_INIT("tuesday"),
    STR_INIT("wednesday"), STR_INIT("thursday"), STR_INIT("friday"),
    STR_INIT("saturday"),
};

/* time.* is read when the rule runs (design 3.1). */
static void set_time_facts(struct session *s)
{
    time_t seconds = (time_t)(loop_wall_us(s->host->loop) / 1000000);
    struct tm local;
    if (localtime_r(&seconds, &local) == NULL)
        return;
    facts_set_number(&s->facts, FACT_TIME_HOUR, (uint64_t)local.tm_hour);
    facts_set_text(&s->facts, FACT_TIME_WEEKDAY, WEEKDAYS[local.tm_wday]);
}

static void apply_list_changes(struct session *s, struct effects *effects)
{
    for (size_t i = 0; i < effects->list_change_count; i++) {
        (void)shared_ledger_apply(s->host->ledger, &effects->list_changes[i],
                            loop_now_ms(s->host->loop));
        session_log_list(s, &effects->list_changes[i]);
    }
    effects->list_change_count = 0;
}

static void run(struct session *s, enum stage stage, struct effects *effects,
                struct verdict *verdict)
{
    const struct ruleset *rules = session_settings(s)->rules;
    struct evaluation e;
    struct question question;
    struct answer answer;
    *verdict = (struct verdict){.kind = VERDICT_PASS};
    if (ruleset_count(rules, stage) == 0 && stage != STAGE_MESSAGE)
        return;
    set_time_facts(s);
    evaluate_start(&e, rules, stage, &s->facts, effects, s->host->scratch);
    while (evaluate(&e, &question, verdict) == EVALUATE_QUESTION) {
        shared_ledger_answer(s->host->ledger, &question,
                             loop_now_ms(s->host->loop), &answer);
        evaluate_answer(&e, &answer);
    }
    apply_list_changes(s, effects);
    if (verdict->kind == VERDICT_FAULT)
        server_log_write(
            s->host->log, SERVER_ERROR,
            "%s: the rules of stage %s failed: %.*s%.*s", session_current_id(s),
            stage_name(stage), (int)verdict->text.n, verdict->text.p,
            verdict->rule == NULL ? 0 : (int)rule_name(verdict->rule).n,
            verdict->rule == NULL ? "" : rule_name(verdict->rule).p);
}

void policy_ask_session(struct session *s, enum stage stage,
                        struct verdict *verdict)
{
    run(s, stage, &s->effects, verdict);
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
            shared_ledger_give_back(s->host->ledger, &hold,
                                    loop_now_ms(s->host->loop));
            continue;
        }
        mine->holds = grown;
        mine->holds[mine->hold_count++] = hold;
    }
}

void policy_ask_auth_again(struct session *s, struct verdict *verdict)
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
    run(s, STAGE_AUTH, &again, verdict);
    keep_session_holds(s, &again);
    again.holds = NULL;
    again.hold_count = again.hold_capacity = 0;
    t->effects = again;
}

void policy_ask(struct session *s, enum stage stage, struct verdict *verdict)
{
    struct transaction *t = s->transaction;
    uint64_t before = loop_clock_us(s->host->loop);
    run(s, stage, &t->effects, verdict);
    t->policy_us += loop_clock_us(s->host->loop) - before;
}

void policy_ask_exceeded(struct session *s, struct verdict *verdict)
{
    struct transaction *t = s->transaction;
    evaluate_exceeded(&s->facts, &t->effects, s->host->scratch, t->dots.bytes,
                      verdict);
}

void policy_release_session(struct session *s)
{
    for (size_t i = 0; i < s->effects.hold_count; i++)
        shared_ledger_give_back(s->host->ledger, &s->effects.holds[i],
                                loop_now_ms(s->host->loop));
    s->effects.hold_count = 0;
}
