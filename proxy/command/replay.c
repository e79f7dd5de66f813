#include "proxy/command/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/load.h"
#include "proxy/command/subcommands.h"
#include "proxy/replay/replay.h"
#include "proxy/replay/result_view.h"

#define BAR_WIDTH 40

struct options {
    const char *log, *config;
    bool is_json;
};

static int read_arguments(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options->is_json = true;
        else if (strcmp(argv[i], "-c") == 0 && i + 1 == argc)
            return subcommand_misuse("replay", "-c needs a file", NULL);
        else if (strcmp(argv[i], "-c") == 0)
            options->config = argv[++i];
        else if (argv[i][0] == '-')
            return subcommand_misuse("replay", "there is no option", argv[i]);
        else if (options->log != NULL)
            return subcommand_misuse("replay", "one log at a time", NULL);
        else
            options->log = argv[i];
    }
    if (options->log == NULL)
        return subcommand_misuse("replay", "which log?", NULL);
    return EXIT_FINE;
}

/* A bar on a terminal; whoever reads the errors of a script wants none. */
static bool on_progress(void *owner, uint64_t done, uint64_t total)
{
    int *shown = owner;
    int now = total == 0 ? BAR_WIDTH : (int)(done * BAR_WIDTH / total);
    if (now == *shown)
        return true;
    *shown = now;
    fprintf(stderr, "\r[%.*s%*s] %3d%%", now,
            "========================================", BAR_WIDTH - now, "",
            now * 100 / BAR_WIDTH);
    return true;
}

static int run(const struct options *options, const struct settings *settings)
{
    int shown = -1;
    char error[512];
    bool has_bar = isatty(STDERR_FILENO);
    struct replay_progress progress = {&shown, has_bar ? on_progress : NULL};
    struct replay *replay =
        replay_run(settings, options->log, &progress, error, sizeof error);
    if (has_bar)
        fprintf(stderr, "\r%*s\r", BAR_WIDTH + 8, "");
    if (replay == NULL) {
        fprintf(stderr, "postern replay: %s\n", error);
        return EXIT_USAGE;
    }
    int code = replay_has_changes(replay) ? EXIT_FOUND : EXIT_FINE;
    if (!options->is_json)
        replay_print(stdout, replay, options->config);
    else if (replay_print_json(stdout, replay) != 0)
        code = EXIT_FOUND;
    replay_free(replay);
    return fflush(stdout) == 0 ? code : EXIT_FOUND;
}

int command_replay(int argc, char **argv)
{
    struct options options = {.config = DEFAULT_CONFIG};
    struct diags diags;
    int code = read_arguments(argc, argv, &options);
    if (code != EXIT_FINE)
        return code;
    diags_init(&diags);
    const struct settings *settings = config_load(options.config, &diags);
    if (settings == NULL)
        diags_print(&diags, stderr);
    diags_release(&diags);
    if (settings == NULL)
        return EXIT_CONFIG;
    if (settings->timezone != NULL)
        setenv("TZ", settings->timezone, 1);
    tzset();
    code = run(&options, settings);
    settings_unref(settings);
    return code;
}
