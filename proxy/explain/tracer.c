#include "proxy/explain/tracer.h"

#include "proxy/explain/remedy.h"
#include "proxy/explain/tracer_edits.h"
#include "proxy/explain/wording.h"

/* The rule that is being told about; NULL: the story is full. */
static struct story_rule *open_rule(struct tracer *tracer)
{
    struct story_stage *stage = tracer->stage;
    if (stage == NULL)
        return NULL;
    if (!tracer->is_rule_open) {
        if (story_add_rule(tracer->story, stage, NULL) == NULL)
            return NULL;
        tracer->is_rule_open = true;
    }
    return &stage->rules[stage->rule_count - 1];
}

static void on_test(void *owner, const struct test *test, enum truth truth,
                    struct str value)
{
    struct tracer *tracer = owner;
    struct story *story = tracer->story;
    struct story_rule *rule = open_rule(tracer);
    struct story_test *told = rule == NULL ? NULL : story_add_test(story, rule);
    if (told == NULL)
        return;
    told->test = test;
    told->text = wording_test(&story->arena, test);
    told->holds = truth == TRUTH_YES;
    told->has_value = value.p != NULL;
    told->value = story_keep(story, value);
}

static void on_measured(void *owner, const struct rule *rule, uint64_t measured,
                        uint64_t max)
{
    struct tracer *tracer = owner;
    struct story_rule *open = open_rule(tracer);
    struct story_answer *told =
        open == NULL ? NULL : story_add_answer(tracer->story, open);
    if (told == NULL)
        return;
    told->kind = STORY_MEASURED;
    told->unit = str_from(unit_row(rule->limit->unit)->name);
    told->before = told->after = measured;
    told->max = max;
    told->is_yes = measured <= max;
}

static void tell_limit(struct story *story, struct story_answer *told,
                       const struct question *question,
                       const struct answer *answer)
{
    told->kind = STORY_LIMIT;
    told->unit = str_from(unit_row(question->limit->unit)->name);
    told->key = story_keep(story, question->key);
    told->cost = question->cost;
    told->before = answer->before;
    told->after = answer->after;
    told->max = question->max;
    told->rate = question->rate;
    told->retry_after_ms = answer->retry_after_ms;
    told->is_yes = answer->is_within;
}

static void on_answer(void *owner, const struct question *question,
                      const struct answer *answer)
{
    struct tracer *tracer = owner;
    struct story *story = tracer->story;
    struct story_rule *rule = open_rule(tracer);
    struct story_answer *told =
        rule == NULL ? NULL : story_add_answer(story, rule);
    if (told == NULL)
        return;
    switch (question->kind) {
    case QUESTION_HOLD:
        tell_limit(story, told, question, answer);
        break;
    case QUESTION_LISTED:
        told->kind = STORY_LISTED;
        told->name = question->list->name;
        told->key = story_keep(story, question->value);
        told->is_yes = answer->is_listed;
        break;
    case QUESTION_ASK:
        told->kind = STORY_ASKED;
        told->name = question->server;
        if (answer->action.p != NULL)
            told->reply = story_keep(story, answer->action);
        break;
    }
}

/* --- how it went with a rule, and with the stage --- */

static struct str reply_of(struct story *story, const struct verdict *verdict)
{
    struct str text = arena_printf(
        &story->arena, "%d%s%.*s %.*s", verdict->code,
        verdict->enhanced.n > 0 ? " " : "", (int)verdict->enhanced.n,
        verdict->enhanced.p, (int)verdict->text.n, verdict->text.p);
    if (text.p != NULL)
        return text;
    story->is_full = true;
    return STR("");
}

static void on_rule(void *owner, const struct rule *rule, enum rule_fate fate,
                    const struct fact_ref *absent,
                    const struct verdict *verdict)
{
    struct tracer *tracer = owner;
    struct story *story = tracer->story;
    struct story_rule *told = open_rule(tracer);
    if (told == NULL)
        return;
    tracer->is_rule_open = false;
    told->rule = rule;
    told->fate = fate;
    if (absent != NULL)
        told->absent = wording_fact(&story->arena, absent);
    if (verdict != NULL && verdict->kind != VERDICT_PASS) {
        told->has_reply = true;
        told->reply = reply_of(story, verdict);
        told->fault = verdict->fault;
    }
    if (fate == FATE_ACTED)
        tracer_tell_edits(tracer, told);
    if (told->has_reply && told->fault == NULL)
        remedy_find(story, told, tracer->facts);
}

void tracer_init(struct tracer *tracer, struct story *story,
                 struct facts *facts, struct effects *effects)
{
    *tracer = (struct tracer){
        .trace = {.on_test = on_test,
                  .on_measured = on_measured,
                  .on_answer = on_answer,
                  .on_rule = on_rule},
        .story = story,
        .facts = facts,
        .effects = effects,
    };
}

void tracer_begin(struct tracer *tracer, enum stage stage, struct str subject)
{
    tracer->trace.owner = tracer;
    tracer->stage = story_add_stage(tracer->story, stage, subject);
    tracer->is_rule_open = false;
    tracer_note_before(tracer);
}

void tracer_end(struct tracer *tracer, const struct verdict *verdict)
{
    struct story_stage *stage = tracer->stage;
    tracer->stage = NULL;
    if (stage == NULL)
        return;
    /* A fault ends a stage in the midst of a rule. */
    if (tracer->is_rule_open) {
        struct story_rule *last = &stage->rules[stage->rule_count - 1];
        last->rule = verdict->rule;
        last->fate = FATE_ACTED;
        last->fault = verdict->fault;
        tracer->is_rule_open = false;
        if (last->rule == NULL)
            stage->rule_count--;
    }
    stage->kind = verdict->kind;
    stage->code = verdict->code;
    stage->rule = verdict->rule;
    if (verdict->kind != VERDICT_PASS)
        stage->reply = reply_of(tracer->story, verdict);
}

void tracer_refuse(struct tracer *tracer, enum stage stage, struct str subject,
                   int code, const char *reply)
{
    struct story *story = tracer->story;
    struct story_stage *told = story_add_stage(story, stage, subject);
    if (told == NULL)
        return;
    told->kind = code < 500 ? VERDICT_DEFER : VERDICT_REJECT;
    told->code = code;
    told->reply = story_keep(story, str_from(reply));
}
