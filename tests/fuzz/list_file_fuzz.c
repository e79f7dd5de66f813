/* The file of a list, compiled for a type of fact that the first octet names:
 * what compiles finds each of its plain entries again, as written and in the
 * form that compares, and what each leads to. */
#include "rules/address.h"
#include "rules/build.h"
#include "rules/evaluate.h"
#include "rules/list.h"

#include <assert.h>
#include <string.h>

#define ENTRIES_MAX 30

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *name;
    enum fact fact;
} FACTS[] = {
    {"auth.user", FACT_AUTH_USER}, {"mail.from", FACT_MAIL_FROM},
    {"client.ip", FACT_CLIENT_IP}, {"mail.envid", FACT_MAIL_ENVID},
    {"mail.size", FACT_MAIL_SIZE},
};

#define FACT_COUNTED (sizeof FACTS / sizeof FACTS[0])

static int build_one(struct ruleset_builder *builder, const char *name,
                     struct str octets)
{
    struct fact_ref fact;
    struct condition *condition;
    struct str value = STR("@l");
    size_t line;
    if (build_list_file(builder, STR("l"), octets, NULL, &line) != 0 ||
        build_rule_start(builder, STAGE_MAIL, STR("r"), NULL) != 0 ||
        build_fact(builder, str_from(name), &fact) != 0 ||
        build_test(builder, &fact, STR(""), &value, 1, &condition) != 0 ||
        build_when(builder, condition) != 0 ||
        build_reject(builder, STR("550 no")) != 0)
        return -1;
    return build_rule_end(builder);
}

/* What a value in the list must be found by. */
static bool is_plain(struct str text)
{
    ptrdiff_t at = str_last_index(text, '@');
    return text.n > 0 && memchr(text.p, '*', text.n) == NULL &&
           text.p[0] != '/' && text.p[0] != '.' &&
           strchr("<>=", text.p[0]) == NULL &&
           !str_starts_with(str_skip(text, (size_t)(at + 1)), STR("."));
}

static void look_up(struct ruleset *ruleset, enum fact fact, struct str text)
{
    struct evaluate_scratch *scratch = evaluate_scratch_new();
    struct evaluation e;
    struct facts facts;
    struct effects effects;
    struct arena arena;
    struct question question;
    struct verdict verdict;
    assert(scratch != NULL);
    arena_init(&arena, 1 << 20);
    effects_init(&effects, &arena);
    facts_init(&facts);
    facts_set_text(&facts, fact, text);
    evaluate_start(&e, ruleset, STAGE_MAIL, &facts, &effects, scratch);
    assert(evaluate(&e, &question, &verdict) == EVALUATE_VERDICT);
    assert(verdict.kind == VERDICT_REJECT || verdict.kind == VERDICT_FAULT ||
           !is_plain(text));
    arena_release(&arena);
    evaluate_scratch_free(scratch);
}

static void look_up_entry(struct ruleset *ruleset, enum fact fact,
                          const struct list_entry *entry)
{
    const struct list *list = ruleset_list(ruleset, STR("l"));
    struct arena arena;
    struct str value;
    arena_init(&arena, 1 << 20);
    struct str canonical = address_canonical(&arena, entry->text);
    assert(canonical.p != NULL);
    look_up(ruleset, fact, entry->text);
    if (is_plain(entry->text))
        look_up(ruleset, fact, canonical);
    if (entry->value.n > 0)
        assert(list_map(list, &arena, entry->text, &value) && value.n > 0 &&
               list_map(list, &arena, canonical, &value));
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t f = data[0] % FACT_COUNTED;
    struct str octets = {(const char *)data + 1, size - 1};
    struct ruleset_builder *builder = ruleset_builder_new();
    assert(builder != NULL);
    int rc = build_one(builder, FACTS[f].name, octets);
    assert(rc == 0 || build_error(builder)[0] != '\0');
    struct ruleset *ruleset = ruleset_builder_finish(builder);
    assert((ruleset != NULL) == (rc == 0));
    if (ruleset != NULL && FACTS[f].fact != FACT_MAIL_SIZE) {
        struct list_cursor cursor = {.list = ruleset_list(ruleset, STR("l"))};
        struct list_entry entry;
        for (size_t i = 0; i < ENTRIES_MAX && list_next(&cursor, &entry); i++)
            look_up_entry(ruleset, FACTS[f].fact, &entry);
    }
    ruleset_free(ruleset);
    return 0;
}
