/* A rule that edits a header block. The first octet says how, the first line
 * is its template, and the block follows. What the rule leaves is read again
 * by the same parser as the same fields, holds what later rules saw, and
 * differs in no field but those that the rule names. */
#include "proxy/smtp/header_reader.h"

#include "rules/build.h"
#include "rules/evaluate.h"
#include "rules/fact_values.h"
#include "tests/fuzz/line_ends.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 65536
#define FIELDS_MAX 200
#define LINE_MAX_OCTETS 998 /* RFC 5322 2.1.1 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rule does, and to which fields. */
static const struct way {
    const char *fact;    /* to rewrite; NULL: headers */
    const char *pattern; /* that guards the rewrite */
    const char *word;    /* of headers */
    const char *name;
} WAYS[] = {
    {.fact = "header.from", .name = "From"},
    {.fact = "header.from", .pattern = "/^(.+)@(.*)$/", .name = "From"},
    {.fact = "header.to", .pattern = "/^(.)(.*)/", .name = "To"},
    {.fact = "header.subject", .name = "Subject"},
    {.fact = "header.subject", .pattern = "/(.*)/s", .name = "Subject"},
    {.word = "set", .name = "X-Set"},
    {.word = "add", .name = "From"},
    {.word = "add_missing", .name = "Subject"},
    {.word = "remove", .name = "X-*"},
};

static int build_rule(struct ruleset_builder *builder, const struct way *way,
                      struct str text)
{
    struct fact_ref fact;
    struct condition *condition;
    struct str pattern = str_from(way->pattern == NULL ? "" : way->pattern);
    if (build_rule_start(builder, STAGE_HEADER, STR("r"), NULL) != 0)
        return -1;
    if (way->pattern != NULL &&
        (build_fact(builder, str_from(way->fact), &fact) != 0 ||
         build_test(builder, &fact, STR(""), &pattern, 1, &condition) != 0 ||
         build_when(builder, condition) != 0))
        return -1;
    if (way->fact != NULL &&
        build_rewrite(builder, str_from(way->fact), text) != 0)
        return -1;
    if (way->word != NULL && build_headers(builder, str_from(way->word),
                                           str_from(way->name), text) != 0)
        return -1;
    return build_rule_end(builder);
}

static void set_facts(struct facts *facts, struct header_fields *fields,
                      bool is_utf8)
{
    static const struct str addresses[] = {STR_INIT("bob@example.com"),
                                           STR_INIT("*@example.net")};
    facts_init(facts);
    facts_set_text(facts, FACT_AUTH_USER, STR("bob"));
    facts_set_list(facts, FACT_AUTH_ADDRESSES, addresses, 2);
    facts_set_text(facts, FACT_HELO_NAME, STR("[192.0.2.1]"));
    facts_set_text(facts, FACT_MAIL_SMTPUTF8,
                   is_utf8 ? STR("true") : STR("false"));
    facts_set_header(facts, fields);
}

/* The values of the fact in `fields`, joined. */
static struct str values_of(struct arena *arena, const char *name,
                            struct header_fields *fields)
{
    struct facts facts;
    struct fact_reader reader;
    struct fact_ref ref;
    struct fact_values values;
    const char *nearest;
    struct str out = STR("");
    set_facts(&facts, fields, false);
    fact_reader_init(&reader, &facts, arena);
    assert(fact_ref_parse(str_from(name), &ref, &nearest) == 0);
    assert(fact_values_read(&reader, &ref, &values) == 0);
    for (size_t i = 0; i < values.count; i++) {
        out = arena_printf(arena, "%.*s\n%.*s", (int)out.n, out.p,
                           (int)values.items[i].n,
                           values.items[i].n == 0 ? "" : values.items[i].p);
        assert(out.p != NULL);
    }
    return out;
}

static void read_block(struct str block, struct header_fields *out)
{
    struct header_reader reader;
    header_reader_init(&reader, BYTES_MAX, FIELDS_MAX);
    enum header_next next = header_reader_feed(&reader, &block);
    if (next == HEADER_MORE)
        next = header_reader_end(&reader);
    if (next == HEADER_DONE)
        assert(header_reader_fields(&reader, out) == 0);
    header_reader_release(&reader);
}

/* CRLF alone ends a line, white space alone follows one within a field, and
 * no NUL is anywhere. */
static void assert_field(struct str raw)
{
    assert(str_ends_with_nocase(raw, STR("\r\n")));
    assert(memchr(raw.p, '\0', raw.n) == NULL);
    for (size_t i = 0; i < raw.n; i++) {
        bool is_last = i + 1 == raw.n;
        assert((raw.p[i] == '\r') == (!is_last && raw.p[i + 1] == '\n'));
        assert(raw.p[i] != '\n' || is_last || raw.p[i + 1] == ' ' ||
               raw.p[i + 1] == '\t');
    }
}

static size_t longest_line(struct str raw)
{
    size_t line = 0, longest = 0;
    for (size_t i = 0; i < raw.n; i++) {
        line = raw.p[i] == '\n' ? 0 : line + (raw.p[i] != '\r');
        longest = line > longest ? line : longest;
    }
    return longest;
}

static bool is_named(const struct way *way, const struct header_field *field)
{
    if (way->word != NULL && strcmp(way->word, "remove") == 0)
        return str_starts_with_nocase(field->name, STR("X-"));
    return str_equals_nocase(field->name, str_from(way->name));
}

/* Of the fields that the rule does not name, all stay, in their order. */
static void assert_others_stay(const struct way *way,
                               const struct header_fields *before,
                               const struct header_fields *after)
{
    size_t k = 0;
    for (size_t i = 0; i < after->count; i++) {
        if (is_named(way, &after->items[i]))
            continue;
        while (k < before->count && is_named(way, &before->items[k]))
            k++;
        assert(k < before->count);
        assert(str_equals(before->items[k++].raw, after->items[i].raw));
    }
    while (k < before->count && is_named(way, &before->items[k]))
        k++;
    assert(k == before->count);
}

static size_t count_named(const struct way *way,
                          const struct header_fields *fields)
{
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++)
        count += is_named(way, &fields->items[i]);
    return count;
}

/* As many fields of that name as the rule says. */
static void assert_count(const struct way *way, size_t before, size_t after)
{
    if (way->word == NULL)
        assert(after == before ||
               (before == 0 && after == 1 && strcmp(way->name, "From") == 0));
    else if (strcmp(way->word, "set") == 0)
        assert(after == 1 || after == before);
    else if (strcmp(way->word, "add") == 0)
        assert(after == before + 1 || after == before);
    else if (strcmp(way->word, "add_missing") == 0)
        assert(after == before || (before == 0 && after == 1));
    else
        assert(after == 0);
}

/* What goes on is the same to whoever parses it next. */
static void assert_read_again(struct arena *arena,
                              const struct header_fields *fields)
{
    struct header_fields again;
    struct header_fields same = *fields;
    size_t n = 0;
    char *block = arena_alloc(arena, header_fields_bytes(fields) + 2);
    assert(block != NULL);
    for (size_t i = 0; i < fields->count; i++) {
        memcpy(block + n, fields->items[i].raw.p, fields->items[i].raw.n);
        n += fields->items[i].raw.n;
    }
    memcpy(block + n, "\r\n", 2);
    if (n + 2 > BYTES_MAX || fields->count > FIELDS_MAX)
        return;
    header_fields_init(&again, arena);
    read_block(str_span(block, n + 2), &again);
    assert(again.count == fields->count);
    for (size_t i = 0; i < again.count; i++) {
        assert(str_equals(again.items[i].raw, fields->items[i].raw));
        assert(str_equals(again.items[i].name, fields->items[i].name));
        assert(str_equals(again.items[i].body, fields->items[i].body));
    }
    static const char *const FACTS[] = {"header.from", "header.from.name",
                                        "header.to", "header.subject"};
    for (size_t i = 0; i < sizeof FACTS / sizeof FACTS[0]; i++)
        if (i < 2 || count_named(&(struct way){.name = FACTS[i] + 7}, fields))
            assert(str_equals(values_of(arena, FACTS[i], &same),
                              values_of(arena, FACTS[i], &again)));
}

static void assert_edited(struct arena *arena, const struct way *way,
                          const struct header_fields *before,
                          const struct header_fields *after)
{
    size_t longest = 0;
    for (size_t i = 0; i < before->count; i++) {
        size_t line = longest_line(before->items[i].raw);
        longest = line > longest ? line : longest;
    }
    for (size_t i = 0; i < after->count; i++) {
        assert_field(after->items[i].raw);
        size_t line = longest_line(after->items[i].raw);
        assert(line <= LINE_MAX_OCTETS || line <= longest);
    }
    assert_others_stay(way, before, after);
    assert_count(way, count_named(way, before), count_named(way, after));
    assert_read_again(arena, after);
}

static void run(struct ruleset *ruleset, const struct way *way, bool is_utf8,
                struct str block)
{
    struct evaluate_scratch *scratch = evaluate_scratch_new();
    struct header_fields before, fields;
    struct evaluation e;
    struct facts facts;
    struct effects effects;
    struct arena arena;
    struct question question;
    struct verdict verdict;
    assert(scratch != NULL);
    arena_init(&arena, 64 << 20);
    header_fields_init(&before, &arena);
    header_fields_init(&fields, &arena);
    read_block(block, &before);
    read_block(block, &fields);
    set_facts(&facts, &fields, is_utf8);
    effects_init(&effects, &arena);
    evaluate_start(&e, ruleset, STAGE_HEADER, &facts, &effects, scratch);
    assert(evaluate(&e, &question, &verdict) == EVALUATE_VERDICT);
    assert(verdict.kind == VERDICT_PASS || verdict.kind == VERDICT_FAULT);
    /* A fault refuses the mail: what is half done goes nowhere. */
    if (verdict.kind == VERDICT_PASS)
        assert_edited(&arena, way, &before, &fields);
    evaluate_scratch_free(scratch);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text, block;
    if (size == 0 || size > 16384)
        return 0;
    const struct way *way =
        &WAYS[(data[0] & 0x7f) % (sizeof WAYS / sizeof *WAYS)];
    str_cut(str_span((const char *)data + 1, size - 1), '\n', &text, &block);
    if (block.n > 0 && memchr(block.p, '\0', block.n) != NULL)
        return 0;
    /* The decoder of content lets nothing else through. */
    struct octets content = repaired(block);
    struct ruleset_builder *builder = ruleset_builder_new();
    assert(builder != NULL);
    int rc = build_rule(builder, way, text);
    assert(rc == 0 || build_error(builder)[0] != '\0');
    struct ruleset *ruleset = ruleset_builder_finish(builder);
    assert((ruleset != NULL) == (rc == 0));
    if (ruleset != NULL)
        run(ruleset, way, data[0] > 0x7f, str_span(content.p, content.n));
    free(content.p);
    ruleset_free(ruleset);
    return 0;
}
