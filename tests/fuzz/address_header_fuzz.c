/* Bodies of From: whatever stands in angles is among the readings, plain
 * lists read back as they are, and a rewritten field holds the new address
 * and no other that a careful reader sees. */
#include "rules/address.h"
#include "rules/address_list.h"
#include "rules/build.h"
#include "rules/encoded_word.h"
#include "rules/evaluate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NEW_ADDRESS "new@example.com"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_address(struct str text)
{
    struct address parsed;
    return address_parse(text, &parsed) == ADDRESS_OK;
}

static bool holds(const struct address_list *list, struct str address)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equals_nocase(list->items[i].address, address))
            return true;
    return false;
}

static void assert_items(const struct address_list *list, struct str body)
{
    size_t malformed = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct mailbox *item = &list->items[i];
        if (str_starts_with(item->address, STR("<malformed")))
            malformed++;
        else
            assert(is_address(item->address));
        if (item->end > 0)
            assert(
                item->end <= body.n && item->start < item->end &&
                str_equals(item->address, str_span(body.p + item->start,
                                                   item->end - item->start)));
    }
    assert((malformed > 0) == list->is_malformed);
}

/* A reader that knows nothing but angles finds nothing that is not there. */
static void assert_angles(const struct address_list *list, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '<')
            continue;
        struct str rest = str_skip(text, i + 1);
        ptrdiff_t end = str_index(rest, '>');
        struct str inside = end < 0 ? STR("") : str_head(rest, (size_t)end);
        if (inside.n > 0 && inside.p[0] != '"' && is_address(inside))
            assert(holds(list, inside));
    }
}

static void assert_reads_back(struct arena *arena,
                              const struct address_list *list)
{
    struct address_list again = {0};
    struct str body = STR("");
    size_t count = 0;
    for (size_t i = 0; i < list->count && count < 50; i++) {
        if (list->items[i].end == 0)
            continue;
        body = arena_printf(arena, "%.*s%s%.*s", (int)body.n, body.p,
                            count++ == 0 ? " " : ",\r\n ",
                            (int)list->items[i].address.n,
                            list->items[i].address.p);
        assert(body.p != NULL);
    }
    assert(address_list_read(arena, body, &again) == 0);
    /* Local parts may be the two ends of an encoded word. */
    assert(encoded_word_is_in(body) ||
           (again.count == count && !again.is_malformed));
}

static struct ruleset *rewriting(void)
{
    struct ruleset_builder *builder = ruleset_builder_new();
    assert(builder != NULL);
    int rc = build_rule_start(builder, STAGE_HEADER, STR("r"), NULL);
    rc |= build_rewrite(builder, STR("header.from"), STR(NEW_ADDRESS));
    rc |= build_rule_end(builder);
    assert(rc == 0);
    return ruleset_builder_finish(builder);
}

/* The field as a rule leaves it. False: the rule failed. */
static bool rewrite_field(struct arena *arena, struct header_fields *fields)
{
    struct evaluate_scratch *scratch = evaluate_scratch_new();
    struct ruleset *ruleset = rewriting();
    struct evaluation e;
    struct facts facts;
    struct effects effects;
    struct question question;
    struct verdict verdict;
    assert(scratch != NULL && ruleset != NULL);
    facts_init(&facts);
    facts_set_header(&facts, fields);
    effects_init(&effects, arena);
    evaluate_start(&e, ruleset, STAGE_HEADER, &facts, &effects, scratch);
    assert(evaluate(&e, &question, &verdict) == EVALUATE_VERDICT);
    ruleset_free(ruleset);
    evaluate_scratch_free(scratch);
    return verdict.kind == VERDICT_PASS;
}

static void assert_rewritten(struct arena *arena, struct str body,
                             const struct address_list *before)
{
    struct header_fields fields;
    struct header_field field;
    struct address_list after = {0};
    header_fields_init(&fields, arena);
    field.raw = arena_printf(arena, "From:%.*s\r\n", (int)body.n, body.p);
    field.name = str_head(field.raw, 4);
    field.body = str_span(field.raw.p + 5, body.n);
    if (field.raw.n != body.n + 7) /* a NUL */
        return;
    assert(header_fields_append(&fields, &field) == 0);
    if (!rewrite_field(arena, &fields))
        return;
    assert(fields.count == 1);
    assert(address_list_read(arena, fields.items[0].body, &after) == 0);
    assert(!after.is_malformed);
    for (size_t i = 0; i < after.count; i++)
        assert(after.items[i].end == 0 ||
               str_equals(after.items[i].address, STR(NEW_ADDRESS)));
    if (before->is_malformed)
        assert(after.count == 1);
}

/* A line end that no white space follows ends the field: the reader of the
 * block never lets one through. */
static bool is_one_field(struct str body)
{
    for (size_t i = 0; i < body.n; i++) {
        char before = i > 0 ? body.p[i - 1] : ' ';
        char next = i + 1 < body.n ? body.p[i + 1] : '\0';
        if (body.p[i] == '\r' && next != '\n')
            return false;
        if (body.p[i] == '\n' &&
            (before != '\r' || (next != ' ' && next != '\t')))
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address_list list = {0};
    struct arena arena;
    struct str body = {(const char *)data, size};
    if (size > 4096 || !is_one_field(body))
        return 0;
    arena_init(&arena, 64 << 20);
    assert(address_list_read(&arena, body, &list) == 0);
    assert_items(&list, body);
    assert_angles(&list, header_text_unfold(&arena, body));
    if (!list.is_malformed)
        assert_reads_back(&arena, &list);
    assert_rewritten(&arena, body, &list);
    arena_release(&arena);
    return 0;
}
