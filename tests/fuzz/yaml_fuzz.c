/* A configuration from memory: settings or errors, never both and never
 * neither; every error has a place in the file; what loads can run its
 * tests. */
#include "config/load.h"

#include "config/policy_tests.h"
#include "config/test_plan.h"

#include <assert.h>

/* Tests that repeat for minutes find nothing that these do not. */
#define MOST_MESSAGES 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t count_messages(const struct settings *settings)
{
    uint64_t messages = 0;
    for (size_t i = 0; i < settings->test_count; i++)
        for (size_t j = 0; j < settings->tests[i].step_count; j++)
            messages += settings->tests[i].steps[j].repeat;
    return messages;
}

static void run_tests(const struct settings *settings, struct diags *diags)
{
    struct policy_tests_result result;
    if (count_messages(settings) > MOST_MESSAGES)
        return;
    policy_tests_run(settings, diags, &result);
    assert(result.passed + result.failed == settings->test_count);
    assert((result.failed == 0) == (diags->errors == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diags diags;
    diags_init(&diags);
    struct str octets = {(const char *)data, size};
    const struct settings *settings =
        config_load_octets("fuzz.yaml", octets, &diags);
    assert((settings == NULL) == (diags.errors > 0));
    assert(diags.count <= DIAG_MAX);
    for (size_t i = 0; i < diags.count; i++)
        assert(diags.items[i].mark.file != NULL);
    if (settings != NULL)
        run_tests(settings, &diags);
    settings_unref(settings);
    diags_release(&diags);
    return 0;
}
