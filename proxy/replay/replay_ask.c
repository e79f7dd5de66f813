/* The candidate's rules, asked about what was recorded. */
#include "proxy/replay/replay_internal.h"

#include "config/time_facts.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/ruleset.h"

static const uint8_t SECRET[16] = {0};

/* --- questions --- */

/* True when it is new. A full table knows nothing any more: then nothing is
 * new, and the budgets run on as they are. */
static bool is_new(struct engine *engine, uint64_t key)
{
    if (2 * engine->seen_count >= engine->seen_capacity) {
        size_t capacity =
            engine->seen_capacity == 0 ? 4096 : 2 * engine->seen_capacity;
        uint64_t *grown = calloc(capacity, sizeof *grown);
        if (grown == NULL)
            return false;
        for (size_t i = 0; i < engine->seen_capacity; i++) {
            if (engine->seen[i] == 0)
                continue;
            size_t at = engine->seen[i] & (capacity - 1);
            while (grown[at] != 0)
                at = (at + 1) & (capacity - 1);
            grown[at] = engine->seen[i];
        }
        free(engine->seen);
        engine->seen = grown;
        engine->seen_capacity = capacity;
    }
    key = key == 0 ? 1 : key;
    size_t at = key & (engine->seen_capacity - 1);
    while (engine->seen[at] != 0 && engine->seen[at] != key)
        at = (at + 1) & (engine->seen_capacity - 1);
    if (engine->seen[at] == key)
        return false;
    engine->seen[at] = key;
    engine->seen_count++;
    return true;
}

/* A log begins in the middle of things: how much of a budget had been used
 * stands where it was first asked. */
static void prime(struct engine *engine, const struct question *question,
                  uint64_t now_ms)
{
    const struct recorded *line = engine->asking;
    if (question->rate.period_ms == 0 || question->member.p != NULL ||
        !is_new(engine, ledger_hash_question(question, SECRET)))
        return;
    for (size_t i = 0; line != NULL && i < line->use_count; i++) {
        const struct recorded_use *use = &line->uses[i];
        if (use->rule.p == NULL || use->key.p == NULL ||
            !str_equals(use->rule, rule_name(question->rule)) ||
            !str_equals(use->key, question->key))
            continue;
        if (use->before > 0) {
            struct question before = *question;
            struct answer ignored;
            before.cost = use->before;
            before.is_charge = true;
            ledger_answer(engine->dry.ledger, &before, now_ms, &ignored);
            engine->replay->primed++;
        }
        return;
    }
}

static bool continues(const struct engine *engine, struct str server)
{
    const struct settings *settings = engine->settings;
    for (size_t i = 0; i < settings->policy_server_count; i++)
        if (str_equals(settings->policy_servers[i].name, server))
            return settings->policy_servers[i].continues;
    return true;
}

/* What the policy server said then; without an answer the candidate's
 * on_failure decides. */
static void answer_ask(struct engine *engine, const struct question *question,
                       struct answer *answer)
{
    const struct recorded *line = engine->asking;
    *answer = (struct answer){.action = STR("DUNNO")};
    if (question->is_shadow)
        return;
    for (size_t i = 0; line != NULL && i < line->ask_count; i++) {
        struct recorded_ask *ask = &line->asks[i];
        if (ask->is_used || ask->stage != engine->stage ||
            ask->server.p == NULL || !str_equals(ask->server, question->server))
            continue;
        ask->is_used = true;
        answer->action = ask->action;
        if (ask->action.p == NULL && continues(engine, question->server))
            answer->action = STR("DUNNO");
        return;
    }
    engine->replay->not_asked++;
}

bool engine_on_question(void *owner, const struct question *question,
                        struct answer *answer)
{
    struct engine *engine = owner;
    switch (question->kind) {
    case QUESTION_HOLD:
        prime(engine, question, engine->now_us / 1000);
        if (!question->is_paced)
            return false;
        /* Who is held back is asked again in the millisecond in which it fits,
         * and the server's begin elsewhere than those of the log. */
        ledger_answer(engine->dry.ledger, question, engine->now_us / 1000 + 1,
                      answer);
        return true;
    case QUESTION_ASK:
        answer_ask(engine, question, answer);
        return true;
    default:
        return false;
    }
}

/* --- a stage --- */

bool engine_lacks(const struct engine *engine, const struct recorded *recorded,
                  const struct rule *rule)
{
    const struct needs *needs = &engine->needs;
    size_t start = needs->start[rule_stage(rule)];
    size_t end = needs->start[rule_stage(rule) + 1];
    for (size_t i = start; i < end; i++)
        if (needs->items[i].rule == rule &&
            !recorded_holds(recorded, &needs->items[i].ref))
            return true;
    return false;
}

static void name_of(const struct fact_ref *ref, char *to, size_t room)
{
    static const char *const PARTS[] = {"", ".local", ".domain", ".name"};
    if (ref->fact == FACT_HEADER)
        snprintf(to, room, "header.%.*s%s", (int)str_head(ref->header, 64).n,
                 ref->header.p, PARTS[ref->part]);
    else
        snprintf(to, room, "%s", fact_name(ref->fact));
}

static void note_gaps(struct engine *engine, const struct recorded *recorded,
                      struct replayed_mail *mail)
{
    const struct needs *needs = &engine->needs;
    char name[96];
    for (size_t i = needs->start[engine->stage];
         i < needs->start[engine->stage + 1]; i++) {
        const struct need *need = &needs->items[i];
        if (recorded_holds(recorded, &need->ref))
            continue;
        name_of(&need->ref, name, sizeof name);
        if (replay_note_gap(engine->replay, rule_name(need->rule),
                            str_from(name)) != 0)
            engine->failure = "out of memory";
        if (mail != NULL)
            mail->is_not_judged = true;
    }
}

void engine_ask(struct engine *engine, enum stage stage,
                struct recorded *recorded, struct facts *facts,
                struct effects *effects, uint64_t now_us,
                struct replayed_mail *mail, struct verdict *verdict)
{
    bool is_first = mail == NULL || !mail->was_asked[stage];
    if (mail != NULL)
        mail->was_asked[stage] = true;
    if (engine->needs.has_time)
        time_facts_set(facts, now_us / 1000000);
    engine->asking = recorded;
    engine->stage = stage;
    engine->now_us = now_us;
    if (is_first)
        note_gaps(engine, recorded, mail);
    dry_run_stage(&engine->dry, stage, facts, effects, now_us / 1000, verdict);
    effects->delay_ms = 0;
    if (verdict->kind != VERDICT_PASS && verdict->rule != NULL &&
        engine_lacks(engine, recorded, verdict->rule))
        *verdict = (struct verdict){.kind = VERDICT_PASS};
}

void refusal_of_verdict(struct refusal *refusal, enum stage stage,
                        const struct verdict *verdict)
{
    *refusal = (struct refusal){.stage = stage};
    if (verdict->kind == VERDICT_PASS)
        return;
    refusal->is_set = true;
    refusal->reply =
        (struct reply){verdict->code, verdict->enhanced, verdict->text};
    if (verdict->kind == VERDICT_FAULT || verdict->rule == NULL)
        return;
    refusal->of = verdict->rule;
    refusal->rule = rule_name(verdict->rule);
}
