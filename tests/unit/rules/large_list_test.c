/* Lists of many entries: found whatever their number, and compiled without
 * taking more memory than their tables need. */
#include "tests/unit/rules/fixture.h"

#include "rules/evaluate.h"
#include "rules/ruleset_internal.h"

#include <stdlib.h>

#define ENTRIES 100000

/* A list file of ENTRIES lines; `format` has one %d. */
static struct str make_file(const char *format)
{
    char *octets = malloc(ENTRIES * 48);
    size_t n = 0;
    assert_non_null(octets);
    for (int i = 0; i < ENTRIES; i++) {
        char line[48];
        int length = 0;
        if (strcmp(format, "net") == 0)
            length = snprintf(line, sizeof line, "10.%d.%d.%d\n", i >> 16,
                              i >> 8 & 255, i & 255);
        else if (strcmp(format, "user") == 0)
            length = snprintf(line, sizeof line, "user%d %d/h\n", i, i + 1);
        else if (strcmp(format, "number") == 0)
            length = snprintf(line, sizeof line, "%d\n", 3 * i);
        else
            length = snprintf(line, sizeof line, "%s%d.example\n", format, i);
        memcpy(octets + n, line, (size_t)length);
        n += (size_t)length;
    }
    return str_span(octets, n);
}

struct large_case {
    const char *format, *fact;
    enum fact set;
    const char *inside, *outside;
    size_t octets_max; /* an entry, its line included */
};

static void decide(struct fixture *f, const struct large_case *row,
                   const char *value, int want)
{
    if (row->set == FACT_MAIL_SIZE) {
        uint64_t number = 0;
        assert_int_equal(str_to_u64(str_from(value), &number), 0);
        facts_set_number(&f->facts, row->set, number);
    } else {
        know(f, row->set, value);
    }
    if (ask(f, STAGE_MAIL) != want)
        fail_msg("%s of %s", value, row->fact);
}

static void entries_are_found_and_take_little_memory(void **state)
{
    static const struct large_case ROWS[] = {
        {"d", "mail.from.domain", FACT_MAIL_FROM, "a@d99999.example",
         "a@d100000.example", 70},
        {".d", "mail.from.domain", FACT_MAIL_FROM, "a@x.y.d0.example",
         "a@d.example", 70},
        {"a@d", "mail.from", FACT_MAIL_FROM, "A@D54321.example",
         "b@d54321.example", 70},
        {"*@d", "mail.from", FACT_MAIL_FROM, "b@d54321.example",
         "b@x.d54321.example", 70},
        {"user", "auth.user", FACT_AUTH_USER, "USER7", "user100000", 170},
        {"net", "client.ip", FACT_CLIENT_IP, "10.1.134.159", "10.1.134.160",
         60},
        {"number", "mail.size", FACT_MAIL_SIZE, "299997", "299998", 90},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct fixture f;
        size_t line;
        struct str octets = make_file(ROWS[i].format);
        fixture_init(&f);
        built(&f,
              build_list_file(f.builder, STR("large"), octets, NULL, &line));
        rule(&f, STAGE_MAIL, "listed");
        when(&f, ROWS[i].fact, "", "@large");
        reject(&f, "550 5.7.1 listed");
        end(&f);
        finish(&f);
        decide(&f, &ROWS[i], ROWS[i].inside, 550);
        decide(&f, &ROWS[i], ROWS[i].outside, 0);
        size_t used = f.ruleset->arena.used_bytes / ENTRIES;
        if (used > ROWS[i].octets_max)
            fail_msg("%s takes %zu octets an entry", ROWS[i].fact, used);
        free((void *)(uintptr_t)octets.p);
        fixture_release(&f);
    }
}

static void values_of_a_large_file_are_found(void **state)
{
    struct fixture f;
    size_t line;
    struct str octets = make_file("user"), value;
    (void)state;
    fixture_init(&f);
    built(&f, build_list_file(f.builder, STR("quota"), octets, NULL, &line));
    finish(&f);
    free((void *)(uintptr_t)octets.p); /* it was copied */
    const struct list *list = ruleset_list(f.ruleset, STR("quota"));
    assert_non_null(list);
    assert_true(list_map(list, &f.arena, STR("User99999"), &value));
    assert_str(value, "100000/h");
    assert_false(list_map(list, &f.arena, STR("user100000"), &value));
    fixture_release(&f);
}

/* Compiled for the types that rules test, and for no other. */
static void a_list_that_nothing_tests_is_not_compiled(void **state)
{
    struct fixture f;
    size_t line;
    struct str octets = make_file("user");
    (void)state;
    fixture_init(&f);
    built(&f, build_list_file(f.builder, STR("unused"), octets, NULL, &line));
    finish(&f);
    const struct list *list = ruleset_list(f.ruleset, STR("unused"));
    for (size_t i = 0; i <= FACT_TYPE_FLAG; i++)
        assert_null(list->matchers[i]);
    free((void *)(uintptr_t)octets.p);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_and_take_little_memory),
        cmocka_unit_test(values_of_a_large_file_are_found),
        cmocka_unit_test(a_list_that_nothing_tests_is_not_compiled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
