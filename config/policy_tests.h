/* The `tests:` of a configuration: given facts, expected verdicts, run with a
 * virtual clock and an upstream that accepts. */
#ifndef CONFIG_POLICY_TESTS_H
#define CONFIG_POLICY_TESTS_H

#include "config/settings.h"

struct policy_tests_result {
    size_t passed, failed;
};

/* Runs them all; each failing expectation is an error in diags, at the mark
 * of its `expect`. */
void policy_tests_run(const struct settings *settings, struct diags *diags,
                      struct policy_tests_result *result);

#endif
