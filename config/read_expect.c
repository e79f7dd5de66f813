/* expect: what a test wants to see. */
#include "config/test_reader.h"

#include "rules/effects.h"
#include "rules/nearest.h"
#include "rules/problem.h"

#include <stddef.h>

static void read_stage(struct reader *reader, const struct node *node,
                       void *into)
{
    struct test_expect *expect = into;
    struct str text;
    if (!node_scalar(reader, node, "stage", &text))
        return;
    expect->has_stage = stage_from_name(text, &expect->stage) == 0;
    if (!expect->has_stage)
        diags_error(reader->diags, node->mark,
                    "there is no stage \"%.*s\": stages are connect, helo, "
                    "auth, mail, rcpt, data, header, message and reply",
                    PROBLEM_STR(text));
}

static void read_reply(struct reader *reader, const struct node *node,
                       void *into)
{
    struct test_expect *expect = into;
    struct str text;
    uint64_t code = 0;
    if (!node_template(reader, node, "reply", &text))
        return;
    if (str_to_u64(str_head(text, 3), &code) != 0 || code < 200 || code > 599 ||
        (text.n > 3 && text.p[3] != ' ')) {
        diags_error(reader->diags, node->mark,
                    "reply takes a code such as 550, or the whole reply such "
                    "as \"550 5.7.1 No\"");
        return;
    }
    expect->code = (unsigned)code;
    if (text.n > 4)
        expect->reply = reader_keep(reader, node->mark, text);
}

/* One text or a list. */
static const struct str *read_texts(struct reader *reader,
                                    const struct node *node, const char *name,
                                    size_t *count)
{
    size_t wanted = node_list_count(node);
    struct str *texts = arena_array(reader->arena, wanted, sizeof *texts);
    if (texts == NULL) {
        reader_full(reader, node->mark);
        return NULL;
    }
    for (size_t i = 0; i < wanted; i++) {
        struct str text;
        if (node_text(reader, node_list_item(node, i), name, &text))
            texts[i] = reader_keep(reader, node->mark, text);
    }
    *count = wanted;
    return texts;
}

static void read_tags(struct reader *reader, const struct node *node,
                      void *into)
{
    struct test_expect *expect = into;
    expect->tags = read_texts(reader, node, "tag", &expect->tag_count);
}

static void read_added(struct reader *reader, const struct node *node,
                       void *into)
{
    struct test_expect *expect = into;
    expect->added = read_texts(reader, node, "added", &expect->added_count);
}

static void read_expected_route(struct reader *reader, const struct node *node,
                                void *into)
{
    struct test_expect *expect = into;
    const struct upstream_settings *upstream = read_upstream_name(reader, node);
    if (upstream != NULL)
        expect->route = upstream->name;
}

static const struct key expect_keys[] = {
    {.name = "stage",
     .type = KEY_OWN,
     .content = CONTENT_STAGE,
     .help = "the stage that decides; of what passes, the last one",
     .read = read_stage},
    {.name = "reply",
     .type = KEY_OWN,
     .content = CONTENT_REPLY,
     .help = "the code, or the whole reply; 250 for what passes",
     .read = read_reply},
    {.name = "rule",
     .type = KEY_TEXT,
     .help = "a rule that refuses or acts",
     .offset = offsetof(struct test_expect, rule)},
    {.name = "route",
     .type = KEY_OWN,
     .help = "the upstream that a rule chose",
     .read = read_expected_route},
    {.name = "tag",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .help = "tags that rules left, one or a list",
     .read = read_tags},
    {.name = "note",
     .type = KEY_TEXT,
     .help = "a note that a rule left",
     .offset = offsetof(struct test_expect, note)},
    {.name = "added",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .help = "recipients that rules added, one or a list",
     .read = read_added},
    {.name = "delay",
     .type = KEY_TIME,
     .min = 1,
     .max = EFFECTS_DELAY_MS_MAX,
     .help = "how long rules held the answers, in all",
     .offset = offsetof(struct test_expect, delay_ms)},
    {.name = "would",
     .type = KEY_FLAG,
     .fallback = "false",
     .help = "the rule is one of mode: shadow, which would have acted",
     .offset = offsetof(struct test_expect, is_shadow)},
};

const struct schema expect_schema = {"expect", expect_keys,
                                     sizeof expect_keys / sizeof *expect_keys};

static void check_rule(struct test_reader *tests, const struct node *node,
                       struct str rule)
{
    if (rule.p == NULL)
        return;
    for (size_t i = 0; i < tests->rule_count; i++)
        if (str_equals(str_from(tests->rules[i]), rule))
            return;
    const char *nearest = nearest_word(rule, tests->rules, tests->rule_count);
    diags_error(tests->reader->diags, node->mark,
                "no rule is named \"%.*s\"%s%s%s", PROBLEM_STR(rule),
                nearest == NULL ? "" : ", did you mean \"",
                nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
}

static bool has_dot(struct str text)
{
    return str_index(text, '.') >= 0;
}

/* A key with a dot is a fact, and `listener` is of no use here: what is left
 * is a table. */
void read_expect(struct test_reader *tests, const struct node *node,
                 struct test_expect *expect)
{
    struct reader *reader = tests->reader;
    if (!node_is_map(reader, node, "expect"))
        return;
    struct node words = {.kind = NODE_MAP, .mark = node->mark};
    struct test_fact *facts =
        arena_array(reader->arena, node->count, sizeof *facts);
    words.keys = arena_array(reader->scratch, node->count, sizeof(void *));
    words.values = arena_array(reader->scratch, node->count, sizeof(void *));
    if (facts == NULL || words.keys == NULL || words.values == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (has_dot(node->keys[i]->text)) {
            if (read_fact(tests, node->keys[i], node->values[i],
                          &facts[expect->fact_count]))
                expect->fact_count++;
            continue;
        }
        words.keys[words.count] = node->keys[i];
        words.values[words.count++] = node->values[i];
    }
    schema_read(reader, &expect_schema, &words, expect);
    expect->mark = node->mark;
    expect->facts = facts;
    const struct node *rule = node_get(node, "rule");
    if (rule != NULL)
        check_rule(tests, rule, expect->rule);
    if (rule == NULL && expect->is_shadow)
        diags_error(reader->diags, node->mark,
                    "would says of a rule that it only pretends: add rule: "
                    "NAME");
}
