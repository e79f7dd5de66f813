#include "proxy/explain/tracer_edits.h"

#include "rules/list.h"

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

void tracer_note_before(struct tracer *tracer)
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

void tracer_tell_edits(struct tracer *tracer, struct story_rule *rule)
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
    tracer_note_before(tracer);
}
