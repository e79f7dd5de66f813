#include "proxy/explain/story_json.h"

#include "proxy/log/printable.h"

#define TEXT_ROOM 4096

json_t *story_json_text(struct str text)
{
    char shown[TEXT_ROOM];
    json_t *plain = json_stringn(text.n == 0 ? "" : text.p, text.n);
    if (plain != NULL)
        return plain;
    return json_stringn(shown, printable(text, shown, sizeof shown));
}

static void set_text(json_t *object, const char *key, struct str text)
{
    json_object_set_new(object, key, story_json_text(text));
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
    json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void set_flag(json_t *object, const char *key, bool flag)
{
    json_object_set_new(object, key, json_boolean(flag));
}

static json_t *texts(const struct str *items, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, story_json_text(items[i]));
    return array;
}

static json_t *test_object(const struct story_test *test)
{
    json_t *object = json_object();
    set_text(object, "test", test->text);
    set_flag(object, "holds", test->holds);
    if (test->has_value)
        set_text(object, "value", test->value);
    return object;
}

static json_t *limit_object(const struct story_answer *answer)
{
    json_t *object = json_object();
    set_text(object, "unit", answer->unit);
    if (answer->kind == STORY_LIMIT) {
        set_text(object, "key", answer->key);
        set_number(object, "cost", answer->cost);
        set_number(object, "before", answer->before);
        set_number(object, "after", answer->after);
    } else {
        set_number(object, "measured", answer->before);
    }
    set_number(object, "max", answer->max);
    if (answer->rate.period_ms > 0) {
        set_number(object, "amount", answer->rate.amount);
        set_number(object, "period_ms", answer->rate.period_ms);
    }
    set_flag(object, "within", answer->is_yes);
    if (!answer->is_yes && answer->retry_after_ms > 0)
        set_number(object, "retry_after_ms", answer->retry_after_ms);
    return object;
}

static void set_answers(json_t *object, const struct story_rule *rule)
{
    json_t *limits = json_array();
    json_t *lists = json_array();
    json_t *asked = json_array();
    for (size_t i = 0; i < rule->answer_count; i++) {
        const struct story_answer *answer = &rule->answers[i];
        json_t *item = NULL;
        if (answer->kind == STORY_LIMIT || answer->kind == STORY_MEASURED) {
            json_array_append_new(limits, limit_object(answer));
            continue;
        }
        item = json_object();
        if (answer->kind == STORY_LISTED) {
            set_text(item, "list", answer->name);
            set_text(item, "value", answer->key);
            set_flag(item, "listed", answer->is_yes);
            json_array_append_new(lists, item);
            continue;
        }
        set_text(item, "server", answer->name);
        if (answer->reply.p != NULL)
            set_text(item, "answer", answer->reply);
        json_array_append_new(asked, item);
    }
    json_object_set_new(object, "limits", limits);
    json_object_set_new(object, "lists", lists);
    json_object_set_new(object, "asked", asked);
}

static json_t *edit_object(const struct story_edit *edit)
{
    json_t *object = json_object();
    set_text(object, "did", str_from(story_edit_word(edit->kind)));
    if (edit->name.n > 0)
        set_text(object, "name", edit->name);
    if (edit->kind == STORY_REWRITE)
        set_text(object, "before", edit->before);
    if (edit->kind != STORY_DELAY)
        set_text(object, "value", edit->after);
    if (edit->ms > 0)
        set_number(object, "ms", edit->ms);
    if (edit->kind == STORY_RECIPIENT)
        set_flag(object, "required", edit->is_required);
    return object;
}

static void set_place(json_t *object, const struct rule *rule)
{
    const struct mark *mark = rule->origin;
    if (mark == NULL || mark->line == 0)
        return;
    set_text(object, "file", str_from(mark->file));
    set_number(object, "line", mark->line);
    set_number(object, "column", mark->column);
}

static json_t *rule_object(const struct story_rule *rule)
{
    json_t *object = json_object();
    json_t *tests = json_array();
    json_t *edits = json_array();
    set_text(object, "rule", rule_name(rule->rule));
    set_place(object, rule->rule);
    set_text(object, "fate", str_from(story_fate_word(rule->fate)));
    if (rule->absent.n > 0)
        set_text(object, "absent", rule->absent);
    for (size_t i = 0; i < rule->test_count; i++)
        json_array_append_new(tests, test_object(&rule->tests[i]));
    json_object_set_new(object, "tests", tests);
    set_answers(object, rule);
    for (size_t i = 0; i < rule->edit_count; i++)
        json_array_append_new(edits, edit_object(&rule->edits[i]));
    json_object_set_new(object, "edits", edits);
    if (rule->has_reply)
        set_text(object, "reply", rule->reply);
    if (rule->fault != NULL)
        set_text(object, "fault", str_from(rule->fault));
    if (rule->remedy_count > 0)
        json_object_set_new(object, "to_pass",
                            texts(rule->remedies, rule->remedy_count));
    return object;
}

static json_t *stage_object(const struct story_stage *stage)
{
    json_t *object = json_object();
    json_t *rules = json_array();
    set_text(object, "stage", str_from(stage_name(stage->stage)));
    if (stage->subject.n > 0)
        set_text(object, "subject", stage->subject);
    if (stage->reply.n > 0)
        set_text(object, "reply", stage->reply);
    for (size_t i = 0; i < stage->rule_count; i++)
        json_array_append_new(rules, rule_object(&stage->rules[i]));
    json_object_set_new(object, "rules", rules);
    return object;
}

static json_t *upstream_object(const struct story *story)
{
    json_t *object = json_object();
    json_t *recipients = json_array();
    set_text(object, "name", story->upstream);
    set_text(object, "from", story->reverse_path);
    for (size_t i = 0; i < story->recipient_count; i++) {
        const struct story_recipient *to = &story->recipients[i];
        json_t *item = json_object();
        if (!to->is_added)
            set_text(item, "to", to->original);
        set_text(item, "sent", to->address);
        set_flag(item, "added", to->is_added);
        if (to->route.n > 0)
            set_text(item, "route", to->route);
        json_array_append_new(recipients, item);
    }
    json_object_set_new(object, "rcpt", recipients);
    if (story->has_header)
        json_object_set_new(object, "header",
                            texts(story->header, story->header_count));
    return object;
}

static void set_refusal(json_t *object, const struct story_stage *refusal)
{
    set_text(object, "stage", str_from(stage_name(refusal->stage)));
    set_text(object, "reply", refusal->reply);
    if (refusal->rule != NULL)
        set_text(object, "rule", rule_name(refusal->rule));
}

static const char *verdict_word(const struct story *story,
                                const struct story_stage *refusal)
{
    if (story->is_accepted)
        return "accept";
    return refusal != NULL && refusal->code < 500 ? "defer" : "reject";
}

json_t *story_json(const struct story *story)
{
    const struct story_stage *refusal = story_refusal(story);
    json_t *object = json_object();
    json_t *stages = json_array();
    set_text(object, "verdict", str_from(verdict_word(story, refusal)));
    if (refusal != NULL)
        set_refusal(object, refusal);
    if (story->end.n > 0)
        set_text(object, "end", story->end);
    json_object_set_new(object, "notes",
                        texts(story->notes, story->note_count));
    for (size_t i = 0; i < story->stage_count; i++)
        json_array_append_new(stages, stage_object(&story->stages[i]));
    json_object_set_new(object, "stages", stages);
    if (story->recipient_count > 0 && story->is_accepted)
        json_object_set_new(object, "upstream", upstream_object(story));
    if (story->is_full)
        set_flag(object, "incomplete", true);
    return object;
}
