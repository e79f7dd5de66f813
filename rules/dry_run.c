#include "rules/dry_run.h"

static void answer(const struct dry_run *run, const struct question *question,
                   uint64_t now_ms, struct answer *out)
{
    if (run->on_question != NULL && run->on_question(run->owner, question, out))
        return;
    if (question->kind == QUESTION_ASK)
        *out = (struct answer){.action = STR("DUNNO")};
    else
        ledger_answer(run->ledger, question, now_ms, out);
}

void dry_run_stage(const struct dry_run *run, enum stage stage,
                   struct facts *facts, struct effects *effects,
                   uint64_t now_ms, struct verdict *verdict)
{
    struct evaluation evaluation;
    struct question question;
    struct answer found;
    evaluate_start(&evaluation, run->rules, stage, facts, effects,
                   run->scratch);
    evaluate_trace(&evaluation, run->trace);
    while (evaluate(&evaluation, &question, verdict) == EVALUATE_QUESTION) {
        answer(run, &question, now_ms, &found);
        evaluate_answer(&evaluation, &found);
    }
    for (size_t i = 0; i < effects->list_change_count; i++)
        ledger_apply(run->ledger, &effects->list_changes[i], now_ms);
    effects->list_change_count = 0;
}

static void settle(const struct dry_run *run, struct hold *hold,
                   bool is_accepted, uint64_t now_ms)
{
    if (is_accepted)
        ledger_commit(run->ledger, hold, now_ms);
    else
        ledger_give_back(run->ledger, hold, now_ms);
}

void dry_run_settle(const struct dry_run *run, struct effects *effects,
                    bool is_accepted, uint64_t now_ms)
{
    for (size_t i = 0; i < effects->hold_count; i++) {
        struct hold *hold = &effects->holds[i];
        if (hold->scope == HOLD_TRANSACTION || hold->scope == HOLD_RECIPIENT)
            settle(run, hold, is_accepted, now_ms);
    }
}

void dry_run_settle_recipient(const struct dry_run *run,
                              struct effects *effects, size_t recipient,
                              uint64_t now_ms)
{
    for (size_t i = 0; i < effects->hold_count; i++) {
        struct hold *hold = &effects->holds[i];
        if (hold->scope == HOLD_RECIPIENT && hold->recipient == recipient)
            settle(run, hold, false, now_ms);
    }
}

void dry_run_settle_session(const struct dry_run *run, struct effects *effects,
                            uint64_t now_ms)
{
    for (size_t i = 0; i < effects->hold_count; i++)
        if (effects->holds[i].scope == HOLD_SESSION)
            settle(run, &effects->holds[i], false, now_ms);
}
