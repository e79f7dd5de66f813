#include "proxy/command/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "config/policy_tests.h"
#include "proxy/command/check_limits.h"
#include "proxy/command/subcommands.h"
#include "proxy/preflight.h"

#include <jansson.h>

struct outcome {
    const char *path;
    bool has_files; /* what the configuration names is opened */
    const struct settings *settings; /* NULL when it is wrong */
    bool is_valid;
    size_t errors; /* of the configuration, without its tests */
    size_t rules;
    struct policy_tests_result tests;
};

static size_t count_rules(const struct settings *settings)
{
    size_t count = 0;
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        count += ruleset_count(settings->rules, stage);
    return count;
}

/* List files and includes are part of the policy and read in any case. The
 * tests run even where a certificate is missing: whoever writes a policy
 * may not be on the server. */
static void examine(struct outcome *outcome, struct diags *diags)
{
    struct files *files = files_from_disk();
    const struct settings *settings =
        files == NULL ? NULL : config_load_from(files, outcome->path, diags);
    outcome->settings = settings;
    if (files == NULL)
        diags_error(diags, (struct mark){outcome->path, 0, 0}, "out of memory");
    if (settings != NULL) {
        outcome->is_valid =
            !outcome->has_files || preflight_check(settings, files, NULL, diags) == 0;
        outcome->rules = count_rules(settings);
        outcome->errors = diags->errors;
        policy_tests_run(settings, diags, &outcome->tests);
    } else {
        outcome->errors = diags->errors;
    }
    files_free(files);
    diags_sort(diags, outcome->path);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void print_text(const struct outcome *outcome, const struct diags *diags)
{
    const struct policy_tests_result *tests = &outcome->tests;
    diags_print(diags, stderr);
    if (outcome->settings != NULL)
        check_limits_print(outcome->settings, stdout);
    printf("%s: ", outcome->path);
    if (!outcome->is_valid)
        printf("%zu error%s", outcome->errors, plural(outcome->errors));
    else if (tests->failed == 0)
        printf("ok, %zu rule%s", outcome->rules, plural(outcome->rules));
    else
        printf("%zu rule%s", outcome->rules, plural(outcome->rules));
    if (tests->failed > 0)
        printf(", %zu of %zu tests failed", tests->failed,
               tests->failed + tests->passed);
    else if (outcome->is_valid || tests->passed > 0)
        printf(", %zu test%s passed", tests->passed, plural(tests->passed));
    putchar('\n');
}

/* Texts hold pieces of the files, so they may not be UTF-8; jansson refuses
 * such, and the reader then gets the place without a text. */
static json_t *diag_object(const struct diag *diag)
{
    return json_pack("{s:s, s:s*, s:I, s:I, s:s*}", "level",
                     diag->level == DIAG_ERROR ? "error" : "warning", "file",
                     diag->mark.file, "line", (json_int_t)diag->mark.line,
                     "column", (json_int_t)diag->mark.column, "text",
                     diag->text);
}

static int print_json(const struct outcome *outcome, const struct diags *diags)
{
    json_t *items = json_array();
    for (size_t i = 0; i < diags->count; i++)
        json_array_append_new(items, diag_object(&diags->items[i]));
    json_t *object = json_pack(
        "{s:s*, s:b, s:I, s:{s:I, s:I}, s:I, s:o}", "file", outcome->path, "ok",
        outcome->is_valid && outcome->tests.failed == 0, "rules",
        (json_int_t)outcome->rules, "tests", "passed",
        (json_int_t)outcome->tests.passed, "failed",
        (json_int_t)outcome->tests.failed, "not_shown",
        (json_int_t)diags->dropped, "diagnostics", items);
    if (object != NULL && outcome->settings != NULL)
        (void)json_object_set_new(object, "limits",
                                  check_limits_json(outcome->settings));
    int result = object == NULL ? -1 : json_dumpf(object, stdout, 0);
    putchar('\n');
    json_decref(object);
    return result;
}

static int read_arguments(int argc, char **argv, struct outcome *outcome,
                          bool *is_json)
{
    for (int i = 1; i < argc; i++) {
        bool is_config = strcmp(argv[i], "-c") == 0;
        if (strcmp(argv[i], "--json") == 0) {
            *is_json = true;
            continue;
        }
        if (strcmp(argv[i], "--no-files") == 0) {
            outcome->has_files = false;
            continue;
        }
        if (is_config && ++i == argc)
            return subcommand_misuse("check", "-c needs a file", NULL);
        if (!is_config && argv[i][0] == '-')
            return subcommand_misuse("check", "there is no option", argv[i]);
        if (outcome->path != NULL)
            return subcommand_misuse("check", "one file at a time", NULL);
        outcome->path = argv[i];
    }
    return EXIT_FINE;
}

int command_check(int argc, char **argv)
{
    struct outcome outcome = {.has_files = true};
    bool is_json = false;
    int code = read_arguments(argc, argv, &outcome, &is_json);
    if (code != EXIT_FINE)
        return code;
    if (outcome.path == NULL)
        outcome.path = DEFAULT_CONFIG;
    struct diags diags;
    diags_init(&diags);
    examine(&outcome, &diags);
    if (is_json)
        print_json(&outcome, &diags);
    else
        print_text(&outcome, &diags);
    diags_release(&diags);
    settings_unref(outcome.settings);
    if (!outcome.is_valid)
        return EXIT_CONFIG;
    return outcome.tests.failed > 0 ? EXIT_FOUND : EXIT_FINE;
}
