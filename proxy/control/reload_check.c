#include "proxy/control/reload_check.h"

#include "config/load.h"
#include "config/policy_tests.h"
#include "proxy/control/replay_gate.h"

#include <stdio.h>
#include <string.h>

/* Names the sections of the server's own part that differ. */
static void name_sections(const struct settings *base,
                          struct reload_change *change)
{
    struct section_cursor cursor = {0};
    size_t length = 0, room = sizeof change->sections;
    const char *name;
    change->sections[0] = '\0';
    while ((name = settings_next_change(base, change->fresh, &cursor)) !=
           NULL) {
        change->is_other_server = true;
        if (length >= room)
            continue;
        int n = snprintf(change->sections + length, room - length, "%s%s",
                         length == 0 ? "" : ", ", name);
        length += n < 0 ? 0 : (size_t)n;
    }
}

static void warn_of_control(const struct settings *base,
                            const struct settings *fresh, struct diags *diags)
{
    const struct mark *mark = &fresh->control_mark;
    if (strcmp(base->control, fresh->control) != 0)
        diags_warn(diags,
                   mark->line > 0 ? *mark : (struct mark){.file = fresh->path},
                   "the control socket stays where it was until the server is "
                   "started anew: reload, status and the like do not find it "
                   "by this file");
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

void reload_load(const struct settings *base, bool is_whole,
                 const atomic_bool *is_stopping, struct reload_change *change,
                 struct reload_result *result)
{
    struct diags *diags = &result->diags;
    const struct settings *fresh =
        config_load_from(change->files, base->path, diags);
    result->tests = 0;
    if (fresh == NULL)
        return;
    bool is_good = !atomic_load(is_stopping) &&
                   ((!is_whole && reload_is_same(base, fresh)) ||
                    passes(fresh, is_stopping, result));
    if (is_good)
        warn_of_control(base, fresh, diags);
    diags_sort(diags, fresh->path);
    if (!is_good) {
        settings_unref(fresh);
        return;
    }
    change->fresh = fresh;
    name_sections(base, change);
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
