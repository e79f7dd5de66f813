#include "proxy/command/explain.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/load.h"
#include "proxy/command/explain_dry.h"
#include "proxy/command/explain_past.h"
#include "proxy/command/subcommands.h"
#include "proxy/log/terminal.h"

/* time.* and --at are in the server's own zone. */
static void enter_timezone(const struct settings *settings)
{
    if (settings->timezone == NULL)
        return;
    setenv("TZ", settings->timezone, 1);
    tzset();
}

/* NULL after the diagnostics, but for a log that needs no policy. */
static const struct settings *load(const struct explain_options *options)
{
    struct diags diags;
    const char *path =
        options->config == NULL ? DEFAULT_CONFIG : options->config;
    diags_init(&diags);
    const struct settings *settings = config_load(path, &diags);
    if (settings == NULL)
        diags_print(&diags, stderr);
    diags_release(&diags);
    return settings;
}

int command_explain(int argc, char **argv)
{
    struct explain_options options;
    int code = explain_options_read(&options, argc, argv);
    if (code != EXIT_FINE)
        return code;
    bool needs_policy = options.log == NULL || options.config != NULL;
    const struct settings *settings = needs_policy ? load(&options) : NULL;
    if (needs_policy && settings == NULL)
        return EXIT_CONFIG;
    if (settings != NULL)
        enter_timezone(settings);
    bool is_coloured = terminal_takes_colour(STDOUT_FILENO) && !options.is_json;
    code = options.id == NULL ? explain_dry(&options, settings, is_coloured)
                              : explain_past(&options, settings, is_coloured);
    settings_unref(settings);
    return code;
}
