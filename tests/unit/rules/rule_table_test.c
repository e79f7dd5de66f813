/* The tables of what may stand in a rule: each row describes itself, and says
 * in words what its bits say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rules/limit.h"
#include "rules/rule_table.h"

/* The stages of the bits, as people read them. */
static void assert_where(const char *name, unsigned stages, const char *where)
{
    char want[100] = "";
    for (enum stage s = 0; s < STAGE_COUNT; s++) {
        size_t used = strlen(want);
        if ((stages & 1u << s) != 0)
            snprintf(want + used, sizeof want - used, "%s%s",
                     used == 0 ? "" : ", ", stage_name(s));
    }
    if (stages == AT_ALL_STAGES)
        snprintf(want, sizeof want, "every stage");
    else if (stages == (AT_ALL_STAGES & ~AT_STAGE(REPLY)))
        snprintf(want, sizeof want, "every stage but reply");
    if (strcmp(where, want) != 0)
        fail_msg("%s: \"%s\" is not \"%s\"", name, where, want);
}

static void assert_help(const char *name, const char *help)
{
    if (help == NULL || strlen(help) < 4 || strchr(help, '\n') != NULL)
        fail_msg("%s has no line of help", name);
}

static void check_keys(const struct rule_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_where(keys[i].name, keys[i].stages, keys[i].where);
        assert_help(keys[i].name, keys[i].help);
        assert_int_equal(keys[i].words != NULL, keys[i].form == VALUE_WORD);
        assert_int_equal(keys[i].classes != 0, keys[i].form == VALUE_REPLY);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(keys[i].name, keys[k].name);
    }
}

static void every_key_says_where_and_what_for(void **state)
{
    (void)state;
    check_keys(rule_keys, rule_key_count);
    check_keys(limit_keys, LIMIT_KEYS);
    check_keys(header_keys, header_key_count);
}

static void every_unit_says_where_and_what_it_counts(void **state)
{
    (void)state;
    for (enum limit_unit u = 0; u < UNIT_COUNT; u++) {
        assert_where(unit_row(u)->name, unit_row(u)->stages,
                     unit_row(u)->where);
        assert_help(unit_row(u)->name, unit_row(u)->help);
    }
}

static void every_fact_stage_and_word_has_help(void **state)
{
    (void)state;
    for (enum fact f = 0; f < FACT_COUNT; f++)
        assert_help(fact_name(f), fact_help(f));
    for (enum stage s = 0; s < STAGE_COUNT; s++)
        assert_help(stage_name(s), stage_help(s));
    for (enum test_word w = 0; w < WORD_COUNT; w++)
        assert_help(test_words[w].name, test_words[w].help);
}

static void a_key_is_found_by_its_whole_name(void **state)
{
    (void)state;
    assert_string_equal(rule_key_find(STR("reject"))->name, "reject");
    assert_null(rule_key_find(STR("rejec")));
    assert_null(rule_key_find(STR("Reject")));
    assert_null(rule_key_find(STR("")));
}

static void three_stages_rewrite_a_fact_of_their_own(void **state)
{
    (void)state;
    size_t count = 0;
    for (enum stage s = 0; s < STAGE_COUNT; s++) {
        enum fact fact;
        bool rewrites = rule_rewrites(s, &fact);
        unsigned here = rule_key_find(STR("rewrite"))->stages & 1u << s;
        assert_int_equal(rewrites, here != 0);
        if (!rewrites)
            continue;
        struct fact_ref ref = {.fact = fact, .header = STR("")};
        assert_int_equal(fact_stage(&ref), s);
        count++;
    }
    assert_int_equal(count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_says_where_and_what_for),
        cmocka_unit_test(every_unit_says_where_and_what_it_counts),
        cmocka_unit_test(every_fact_stage_and_word_has_help),
        cmocka_unit_test(a_key_is_found_by_its_whole_name),
        cmocka_unit_test(three_stages_rewrite_a_fact_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
