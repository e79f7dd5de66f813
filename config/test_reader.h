/* Inside of the readers of `tests:`: read_tests.c (tests and steps),
 * read_expect.c (what is expected), read_facts.c (facts and their values). */
#ifndef CONFIG_TEST_READER_H
#define CONFIG_TEST_READER_H

#include "config/sections.h"
#include "config/test_plan.h"

struct test_reader {
    struct reader *reader;
    const char **rules; /* the names of all rules */
    size_t rule_count;
};

/* `fact: value`. False after a diagnostic. */
bool read_fact(struct test_reader *tests, const struct node *key,
               const struct node *value, struct test_fact *fact);
void read_expect(struct test_reader *tests, const struct node *node,
                 struct test_expect *expect);

#endif
