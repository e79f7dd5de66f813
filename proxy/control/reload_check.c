#include "proxy/control/reload_check.h"

#include "config/load.h"
#include "config/policy_tests.h"
#include "proxy/control/replay_gate.h"

#include <stdio.h>
#include <string.h>

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

bool reload_is_same(const struct settings *a, const struct settings *b)
{
    return strcmp(a->policy_digest, b->policy_digest) == 0 &&
           strcmp(a->shadow_digest, b->shadow_digest) == 0;
}

static bool passes(const struct settings *fresh, const atomic_bool *is_stopping,
                   struct reload_result *result)
{
    struct policy_tests_result tests = {0};
    policy_tests_run(fresh, &result->diags, &tests);
    result->tests = tests.passed;
    return tests.failed == 0 && !atomic_load(is_stopping) &&
           replay_gate_passes(fresh, is_stopping, &result->diags);
}

const struct settings *reload_load(const struct settings *base,
                                   const struct settings *newest,
                                   struct files *files,
                                   const atomic_bool *is_stopping,
                                   struct reload_result *result)
{
    struct diags *diags = &result->diags;
    const struct settings *fresh = config_load_from(files, base->path, diags);
    result->tests = 0;
    if (fresh == NULL)
        return NULL;
    bool is_good = is_same_server(base, fresh, diags) &&
                   !atomic_load(is_stopping) &&
                   ((newest != NULL && reload_is_same(newest, fresh)) ||
                    passes(fresh, is_stopping, result));
    diags_sort(diags, fresh->path);
    if (is_good)
        return fresh;
    settings_unref(fresh);
    return NULL;
}

void reload_name_changes(const struct files *before, const struct files *after,
                         struct reload_result *result)
{
    const struct file *file;
    size_t at = 0, length = 0;
    result->renewed[0] = '\0';
    result->renewed_count = 0;
    while ((file = files_next_change(before, after, &at)) != NULL) {
        if (file->kind == FILE_CONFIGURATION)
            continue;
        result->renewed_count++;
        if (length >= sizeof result->renewed)
            continue;
        int n =
            snprintf(result->renewed + length, sizeof result->renewed - length,
                     "%s%s %s", length == 0 ? "" : ", ",
                     file_kind_name(file->kind), file->path);
        length += n < 0 ? 0 : (size_t)n;
    }
}
