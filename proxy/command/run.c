/* postern run: loads the configuration, and supervises who serves by it. */
#include "proxy/command/run.h"

#include <errno.h>
#include <stdio.h>

#include "config/load.h"
#include "config/policy_tests.h"
#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/core_dumps.h"
#include "proxy/supervisor/supervisor.h"

/* The configuration, tested; or diagnostics on stderr. */
static const struct settings *load(const char *path)
{
    struct diags diags;
    struct policy_tests_result result = {0};
    diags_init(&diags);
    const struct settings *settings = config_load(path, &diags);
    if (settings != NULL) {
        policy_tests_run(settings, &diags, &result);
        if (result.failed > 0) {
            settings_unref(settings);
            settings = NULL;
        }
    }
    diags_print(&diags, stderr);
    diags_release(&diags);
    return settings;
}

int command_run(int argc, char **argv)
{
    const char *path = DEFAULT_CONFIG;
    if (config_option_read(argc, argv, &path, NULL, NULL) != EXIT_FINE)
        return EXIT_USAGE;
    (void)core_dumps_forbid();
    const struct settings *settings = load(path);
    if (settings == NULL)
        return EXIT_CONFIG;
    if (settings->core_dumps)
        (void)core_dumps_allow(); /* the worker process tells of it */
    const struct supervisor_means means = {
        .path = path, .settings = settings, .name = program_invocation_name};
    return supervise(&means);
}
