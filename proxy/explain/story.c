#include "proxy/explain/story.h"

#include <stdarg.h>
#include <stdio.h>

#define ARENA_CAP ((size_t)64 * 1024 * 1024)

void story_init(struct story *story)
{
    *story = (struct story){0};
    arena_init(&story->arena, ARENA_CAP);
}

void story_release(struct story *story)
{
    arena_release(&story->arena);
    *story = (struct story){0};
}

/* Room for one more item; the array may move. */
static void *more(struct story *story, void *array, size_t *count,
                  size_t *capacity, size_t item_bytes)
{
    void *moved =
        arena_grow(&story->arena, array, *count, capacity, item_bytes);
    if (moved == NULL)
        story->is_full = true;
    else
        ++*count;
    return moved;
}

struct story_stage *story_add_stage(struct story *story, enum stage stage,
                                    struct str subject)
{
    struct story_stage *items = more(story, story->stages, &story->stage_count,
                                     &story->stage_capacity, sizeof *items);
    if (items == NULL)
        return NULL;
    story->stages = items;
    items[story->stage_count - 1] = (struct story_stage){
        .stage = stage, .subject = story_keep(story, subject)};
    return &items[story->stage_count - 1];
}

struct story_rule *story_add_rule(struct story *story,
                                  struct story_stage *stage,
                                  const struct rule *rule)
{
    struct story_rule *items = more(story, stage->rules, &stage->rule_count,
                                    &stage->rule_capacity, sizeof *items);
    if (items == NULL)
        return NULL;
    stage->rules = items;
    items[stage->rule_count - 1] =
        (struct story_rule){.rule = rule, .fate = FATE_NOT_REACHED};
    return &items[stage->rule_count - 1];
}

struct story_test *story_add_test(struct story *story, struct story_rule *rule)
{
    struct story_test *items = more(story, rule->tests, &rule->test_count,
                                    &rule->test_capacity, sizeof *items);
    if (items == NULL)
        return NULL;
    rule->tests = items;
    items[rule->test_count - 1] = (struct story_test){0};
    return &items[rule->test_count - 1];
}

struct story_answer *story_add_answer(struct story *story,
                                      struct story_rule *rule)
{
    struct story_answer *items = more(story, rule->answers, &rule->answer_count,
                                      &rule->answer_capacity, sizeof *items);
    if (items == NULL)
        return NULL;
    rule->answers = items;
    items[rule->answer_count - 1] = (struct story_answer){0};
    return &items[rule->answer_count - 1];
}

struct story_edit *story_add_edit(struct story *story, struct story_rule *rule)
{
    struct story_edit *items = more(story, rule->edits, &rule->edit_count,
                                    &rule->edit_capacity, sizeof *items);
    if (items == NULL)
        return NULL;
    rule->edits = items;
    items[rule->edit_count - 1] = (struct story_edit){0};
    return &items[rule->edit_count - 1];
}

void story_add_remedy(struct story *story, struct story_rule *rule,
                      struct str text)
{
    struct str *items = more(story, rule->remedies, &rule->remedy_count,
                             &rule->remedy_capacity, sizeof *items);
    if (items == NULL)
        return;
    rule->remedies = items;
    items[rule->remedy_count - 1] = story_keep(story, text);
}

struct story_recipient *story_add_recipient(struct story *story)
{
    struct story_recipient *items =
        more(story, story->recipients, &story->recipient_count,
             &story->recipient_capacity, sizeof *items);
    if (items == NULL)
        return NULL;
    story->recipients = items;
    items[story->recipient_count - 1] = (struct story_recipient){0};
    return &items[story->recipient_count - 1];
}

void story_add_note(struct story *story, const char *format, ...)
{
    char text[512];
    va_list arguments;
    struct str *items = more(story, story->notes, &story->note_count,
                             &story->note_capacity, sizeof *items);
    if (items == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    story->notes = items;
    items[story->note_count - 1] = story_keep(story, str_from(text));
}

void story_add_field(struct story *story, struct str raw)
{
    struct str *items = more(story, story->header, &story->header_count,
                             &story->header_capacity, sizeof *items);
    if (items == NULL)
        return;
    story->header = items;
    items[story->header_count - 1] = story_keep(story, raw);
}

struct str story_keep(struct story *story, struct str text)
{
    struct str kept = arena_str(&story->arena, text);
    if (kept.p != NULL)
        return kept;
    story->is_full = true;
    return STR("");
}

const struct story_stage *story_refusal(const struct story *story)
{
    if (story->is_accepted || story->stage_count == 0)
        return NULL;
    for (size_t i = story->stage_count; i > 0; i--)
        if (story->stages[i - 1].reply.n > 0)
            return &story->stages[i - 1];
    return NULL;
}

bool story_has_refusal(const struct story *story)
{
    for (size_t i = 0; i < story->stage_count; i++)
        if (story->stages[i].reply.n > 0)
            return true;
    return false;
}

const char *story_edit_word(enum story_edit_kind kind)
{
    static const char *const words[] = {
        [STORY_REWRITE] = "rewrite",
        [STORY_HEADER_ADD] = "header-add",
        [STORY_HEADER_REMOVE] = "header-remove",
        [STORY_ROUTE] = "route",
        [STORY_TAG] = "tag",
        [STORY_NOTE] = "note",
        [STORY_LIST_ADD] = "list-add",
        [STORY_LIST_REMOVE] = "list-remove",
        [STORY_RECIPIENT] = "recipient-add",
        [STORY_DELAY] = "delay",
    };
    return words[kind];
}

const char *story_fate_word(enum rule_fate fate)
{
    static const char *const words[] = {
        [FATE_ACTED] = "acted",
        [FATE_PRETENDED] = "would-act",
        [FATE_NOT_HELD] = "not-held",
        [FATE_ABSENT] = "not-asked",
        [FATE_WITHIN] = "within",
        [FATE_NOT_COUNTED] = "not-counted",
        [FATE_UNLISTED] = "unlisted",
        [FATE_OFF] = "off",
        [FATE_NOT_REACHED] = "not-reached",
    };
    return words[fate];
}
