#include "proxy/explain/tracer.h"

#include "proxy/explain/remedy.h"
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

/* --- what a rule did --- */

static void note_fields(struct tracer *tracer)
{
    const struct header_fields *header = tracer->facts->header;
    struct tracer_before *before = &tracer->before;
    before->field_count = 0;
    if (header == NULL)
        return;
    before->fields = arena_array(&tracer->story->arena, header->count + 1,
                                 sizeof *before->fields);
    if (before->fields == NULL) {
        tracer->story->is_full = true;
        return;
    }
    for (size_t i = 0; i < header->count; i++)
        before->fields[i] = header->items[i].raw;
    before->field_count = header->count;
}

static bool is_same_header(const struct tracer *tracer)
{
    const struct header_fields *header = tracer->facts->header;
    const struct tracer_before *before = &tracer->before;
    if (header == NULL || header->count != before->field_count)
        return header == NULL && before->field_count == 0;
    for (size_t i = 0; i < header->count; i++)
        if (header->items[i].raw.p != before->fields[i].p)
            return false;
    return true;
}

static void note_before(struct tracer *tracer)
{
    const struct effects *effects = tracer->effects;
    struct tracer_before *before = &tracer->before;
    struct str *fields = before->fields;
    size_t field_count = before->field_count;
    bool is_same = is_same_header(tracer);
    *before = (struct tracer_before){
        .edits = effects->edit_count,
        .list_changes = effects->list_change_count,
        .tags = effects->tag_count,
        .notes = effects->note_count,
        .added = effects->added_count,
        .delay_ms = effects->delay_ms,
        .route = effects->route,
        .mail_from = facts_text(tracer->facts, FACT_MAIL_FROM),
        .rcpt_to = facts_text(tracer->facts, FACT_RCPT_TO),
        .fields = fields,
        .field_count = field_count,
    };
    if (!is_same)
        note_fields(tracer);
}

static void add_edit(struct tracer *tracer, struct story_rule *rule,
                     const struct story_edit *edit)
{
    struct story_edit *told = story_add_edit(tracer->story, rule);
    if (told == NULL)
        return;
    *told = *edit;
    told->name = story_keep(tracer->story, edit->name);
    told->before = story_keep(tracer->story, edit->before);
    told->after = story_keep(tracer->story, edit->after);
}

static void tell_rewrite(struct tracer *tracer, struct story_rule *rule,
                         enum fact fact, struct str before)
{
    struct str after = facts_text(tracer->facts, fact);
    if (str_equals(before, after))
        return;
    add_edit(tracer, rule,
             &(struct story_edit){.kind = STORY_REWRITE,
                                  .name = str_from(fact_name(fact)),
                                  .before = before,
                                  .after = after});
}

static bool holds_field(const struct str *fields, size_t count, struct str raw)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].p == raw.p)
            return true;
    return false;
}

static bool header_holds(const struct header_fields *header, struct str raw)
{
    for (size_t i = 0; i < header->count; i++)
        if (header->items[i].raw.p == raw.p)
            return true;
    return false;
}

static void tell_field(struct tracer *tracer, struct story_rule *rule,
                       enum story_edit_kind kind, struct str raw)
{
    struct str name, value;
    str_cut(raw, ':', &name, &value);
    while (value.n > 0 &&
           (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r'))
        value.n--;
    add_edit(tracer, rule,
             &(struct story_edit){.kind = kind,
                                  .name = str_trim(name),
                                  .after = str_trim(value)});
}

static void tell_header(struct tracer *tracer, struct story_rule *rule)
{
    const struct header_fields *header = tracer->facts->header;
    const struct tracer_before *before = &tracer->before;
    if (header == NULL || is_same_header(tracer))
        return;
    for (size_t i = 0; i < before->field_count; i++)
        if (!header_holds(header, before->fields[i]))
            tell_field(tracer, rule, STORY_HEADER_REMOVE, before->fields[i]);
    for (size_t i = 0; i < header->count; i++)
        if (!holds_field(before->fields, before->field_count,
                         header->items[i].raw))
            tell_field(tracer, rule, STORY_HEADER_ADD, header->items[i].raw);
}

/* Edits that wait for the header block. */
static void tell_waiting_edits(struct tracer *tracer, struct story_rule *rule)
{
    const struct effects *effects = tracer->effects;
    for (size_t i = tracer->before.edits; i < effects->edit_count; i++) {
        const struct header_edit *edit = &effects->edits[i];
        bool is_removal = edit->kind == HEADER_EDIT_REMOVE;
        add_edit(tracer, rule,
                 &(struct story_edit){.kind = is_removal ? STORY_HEADER_REMOVE
                                                         : STORY_HEADER_ADD,
                                      .name = edit->name,
                                      .after = edit->value});
    }
}

static void tell_lists(struct tracer *tracer, struct story_rule *rule)
{
    const struct effects *effects = tracer->effects;
    for (size_t i = tracer->before.list_changes; i < effects->list_change_count;
         i++) {
        const struct list_change *change = &effects->list_changes[i];
        add_edit(tracer, rule,
                 &(struct story_edit){.kind = change->is_removal
                                                  ? STORY_LIST_REMOVE
                                                  : STORY_LIST_ADD,
                                      .name = change->list->name,
                                      .after = change->value,
                                      .ms = change->for_ms});
    }
}

static void tell_texts(struct tracer *tracer, struct story_rule *rule)
{
    const struct effects *effects = tracer->effects;
    const struct tracer_before *before = &tracer->before;
    for (size_t i = before->tags; i < effects->tag_count; i++)
        add_edit(
            tracer, rule,
            &(struct story_edit){.kind = STORY_TAG, .after = effects->tags[i]});
    for (size_t i = before->notes; i < effects->note_count; i++)
        add_edit(tracer, rule,
                 &(struct story_edit){.kind = STORY_NOTE,
                                      .after = effects->notes[i]});
    for (size_t i = before->added; i < effects->added_count; i++)
        add_edit(
            tracer, rule,
            &(struct story_edit){.kind = STORY_RECIPIENT,
                                 .after = effects->added[i].address,
                                 .is_required = effects->added[i].is_required});
}

static void tell_edits(struct tracer *tracer, struct story_rule *rule)
{
    const struct effects *effects = tracer->effects;
    const struct tracer_before *before = &tracer->before;
    tell_rewrite(tracer, rule, FACT_MAIL_FROM, before->mail_from);
    tell_rewrite(tracer, rule, FACT_RCPT_TO, before->rcpt_to);
    tell_header(tracer, rule);
    tell_waiting_edits(tracer, rule);
    tell_lists(tracer, rule);
    tell_texts(tracer, rule);
    if (!str_equals(effects->route, before->route))
        add_edit(
            tracer, rule,
            &(struct story_edit){.kind = STORY_ROUTE, .after = effects->route});
    if (effects->delay_ms > before->delay_ms)
        add_edit(
            tracer, rule,
            &(struct story_edit){.kind = STORY_DELAY,
                                 .ms = effects->delay_ms - before->delay_ms});
    note_before(tracer);
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
        tell_edits(tracer, told);
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
    note_before(tracer);
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
