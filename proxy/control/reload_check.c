#include "proxy/control/reload_check.h"

#include "config/load.h"
#include "config/policy_tests.h"
#include "proxy/control/replay_gate.h"

#include <stdio.h>

/* Says which sections of the server's own part differ: a restart takes them
 * up. */
static bool is_same_server(const struct settings *base,
                           const struct settings *fresh, struct diags *diags)
{
    struct section_cursor cursor = {0};
    char names[256] = "";
    size_t length = 0, count = 0;
    const char *name;
    while ((name = settings_next_change(base, fresh, &cursor)) != NULL) {
        count++;
        if (length >= sizeof names)
            continue;
        int n = snprintf(names + length, sizeof names - length, "%s%s",
                         length == 0 ? "" : ", ", name);
        length += n < 0 ? 0 : (size_t)n;
    }
    if (count > 0)
        diags_error(diags, (struct mark){.file = fresh->path},
                    "what the server itself runs with has changed: %s; a "
                    "reload takes up policy, lists, tests, shadow, reload and "
                    "policy_servers, the rest needs a restart",
                    names);
    return count == 0;
}

const struct settings *reload_load(const struct settings *base,
                                   const atomic_bool *is_stopping,
                                   struct diags *diags, size_t *tests)
{
    struct policy_tests_result result = {0};
    const struct settings *fresh = config_load(base->path, diags);
    *tests = 0;
    if (fresh == NULL)
        return NULL;
    bool passes =
        is_same_server(base, fresh, diags) && !atomic_load(is_stopping);
    if (passes) {
        policy_tests_run(fresh, diags, &result);
        passes = result.failed == 0 && !atomic_load(is_stopping) &&
                 replay_gate_passes(fresh, is_stopping, diags);
    }
    *tests = result.passed;
    diags_sort(diags, fresh->path);
    if (passes)
        return fresh;
    settings_unref(fresh);
    return NULL;
}
