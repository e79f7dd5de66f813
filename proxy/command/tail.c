#include "proxy/command/tail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/load.h"
#include "proxy/command/subcommands.h"
#include "proxy/log/entry_filter.h"
#include "proxy/log/entry_view.h"
#include "proxy/log/log_tail.h"
#include "proxy/log/printable.h"
#include "proxy/log/terminal.h"

#define RECENT_MAX 10
/* How far back -f looks for those. */
#define RECENT_OCTETS (16 * 1024 * 1024)
#define POLL_NS (200 * 1000 * 1000)

struct options {
    bool follows;
    const char *config, *log;
    struct entry_filter filter;
};

/* The lines that -f begins with, the oldest overwritten first. */
struct recent {
    char *lines[RECENT_MAX];
    size_t count;
    bool is_held; /* else lines are printed as they come */
};

struct viewer {
    struct options *options;
    struct log_tail tail;
    struct recent recent;
    bool is_coloured;
};

static uint64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int read_word(struct options *options, const char *word)
{
    char error[ENTRY_FILTER_ERROR_MAX];
    if (entry_filter_is_word(str_from(word))) {
        if (entry_filter_add(&options->filter, str_from(word), wall_us(),
                             error) != 0)
            return subcommand_misuse("tail", error, NULL);
        return EXIT_FINE;
    }
    if (options->log != NULL)
        return subcommand_misuse("tail", "one log at a time", NULL);
    options->log = word;
    return EXIT_FINE;
}

static int read_arguments(int argc, char **argv, struct options *options)
{
    int code = EXIT_FINE;
    for (int i = 1; i < argc && code == EXIT_FINE; i++) {
        if (strcmp(argv[i], "-f") == 0)
            options->follows = true;
        else if (strcmp(argv[i], "-c") == 0 && i + 1 == argc)
            code = subcommand_misuse("tail", "-c needs a file", NULL);
        else if (strcmp(argv[i], "-c") == 0)
            options->config = argv[++i];
        else if (argv[i][0] == '-' && argv[i][1] != '\0')
            code = subcommand_misuse("tail", "there is no option", argv[i]);
        else
            code = read_word(options, argv[i]);
    }
    return code;
}

/* An owned path, or NULL after saying why. */
static char *find_log(const struct options *options, int *code)
{
    struct diags diags;
    char *path = NULL;
    if (options->log != NULL)
        return strdup(options->log);
    diags_init(&diags);
    const char *config =
        options->config == NULL ? DEFAULT_CONFIG : options->config;
    const struct settings *settings = config_load(config, &diags);
    *code = EXIT_CONFIG;
    if (settings == NULL)
        diags_print(&diags, stderr);
    else if (settings->log.is_on_stdout)
        fprintf(stderr,
                "postern tail: %s has decisions on standard output, where "
                "docker logs or journalctl may have kept them: name a file, or "
                "- for standard input\n",
                config);
    else if (settings->log.decisions == NULL)
        fprintf(stderr, "postern tail: %s names no log.decisions\n", config);
    else
        path = strdup(settings->log.decisions);
    settings_unref(settings);
    diags_release(&diags);
    return path;
}

static void warn(const struct viewer *viewer, const char *what,
                 const char *detail)
{
    char shown[256];
    size_t length = printable(str_from(detail), shown, sizeof shown);
    fflush(stdout);
    fprintf(stderr, "%s:%zu: warning: %s%.*s\n", viewer->tail.path,
            viewer->tail.line, what, (int)length, shown);
}

/* Keeps a line, which it owns from now on. */
static void keep(struct recent *recent, char *line)
{
    size_t at = recent->count++ % RECENT_MAX;
    free(recent->lines[at]);
    recent->lines[at] = line;
}

static void print_recent(struct recent *recent)
{
    size_t from = recent->count < RECENT_MAX ? 0 : recent->count - RECENT_MAX;
    for (size_t i = from; i < recent->count; i++) {
        char **line = &recent->lines[i % RECENT_MAX];
        fputs(*line, stdout);
        free(*line);
        *line = NULL;
    }
    *recent = (struct recent){.is_held = false};
}

static void show_entry(struct viewer *viewer, const json_t *entry)
{
    char *line = NULL;
    size_t length = 0;
    if (!viewer->recent.is_held) {
        entry_view_print(stdout, entry, viewer->is_coloured);
        return;
    }
    FILE *to = open_memstream(&line, &length);
    if (to == NULL)
        return;
    entry_view_print(to, entry, viewer->is_coloured);
    if (fclose(to) == 0)
        keep(&viewer->recent, line);
    else
        free(line);
}

static void show_line(struct viewer *viewer, struct str line)
{
    json_error_t error;
    json_t *entry = json_loadb(line.p, line.n, 0, &error);
    if (entry == NULL)
        warn(viewer, "this line can't be read: ", error.text);
    else if (!json_is_object(entry))
        warn(viewer, "this line is no object of the decision log", "");
    else if (entry_filter_matches(&viewer->options->filter, entry))
        show_entry(viewer, entry);
    json_decref(entry);
}

/* All that is there at present. */
static int show_lines(struct viewer *viewer)
{
    for (;;) {
        struct str line = {NULL, 0};
        switch (log_tail_next(&viewer->tail, &line)) {
        case TAIL_LINE:
            if (line.n > 0)
                show_line(viewer, line);
            break;
        case TAIL_OVERLONG:
            warn(viewer, "this line is too long and left out", "");
            break;
        case TAIL_END:
            return fflush(stdout) == 0 ? 0 : -1;
        case TAIL_ERROR:
            fprintf(stderr, "postern tail: %s: %s\n", viewer->tail.path,
                    strerror(errno));
            return -1;
        }
    }
}

static void follow(struct viewer *viewer)
{
    const struct timespec pause = {0, POLL_NS};
    for (;;) {
        bool is_new = false;
        size_t torn = log_tail_torn(&viewer->tail);
        bool is_more = log_tail_follow(&viewer->tail, &is_new);
        if (is_new && torn > 0)
            fprintf(stderr,
                    "%s: warning: the last line had no end when the log was "
                    "rotated\n",
                    viewer->tail.path);
        if (!is_more)
            nanosleep(&pause, NULL);
        if (viewer->tail.fd >= 0 && show_lines(viewer) != 0)
            return;
    }
}

/* A log that is not there yet is waited for: the server makes it. */
static int open_log(struct viewer *viewer)
{
    if (log_tail_open(&viewer->tail) == 0)
        return 0;
    bool waits = viewer->options->follows && errno == ENOENT;
    fprintf(stderr, "postern tail: %s: %s%s\n", viewer->tail.path,
            strerror(errno), waits ? "; waiting for it" : "");
    return waits ? 0 : -1;
}

static int view(struct viewer *viewer)
{
    const struct options *options = viewer->options;
    struct log_tail *tail = &viewer->tail;
    if (open_log(viewer) != 0)
        return EXIT_FOUND;
    viewer->recent.is_held = options->follows && !options->filter.has_since;
    if (tail->fd >= 0 && viewer->recent.is_held &&
        log_tail_near_end(tail, RECENT_OCTETS) != 0)
        return EXIT_FOUND;
    if (tail->fd >= 0 && show_lines(viewer) != 0)
        return EXIT_FOUND;
    print_recent(&viewer->recent);
    if (options->follows && strcmp(tail->path, "-") != 0) {
        fflush(stdout);
        follow(viewer);
        return EXIT_FOUND;
    }
    tail->line++;
    if (log_tail_torn(tail) > 0)
        warn(viewer, "this line has no end", "");
    return fflush(stdout) == 0 ? EXIT_FINE : EXIT_FOUND;
}

int command_tail(int argc, char **argv)
{
    struct options options = {.follows = false};
    entry_filter_init(&options.filter);
    int code = read_arguments(argc, argv, &options);
    char *path = code == EXIT_FINE ? find_log(&options, &code) : NULL;
    if (path == NULL)
        return code == EXIT_FINE ? EXIT_FOUND : code;
    struct viewer viewer = {.options = &options,
                            .is_coloured =
                                terminal_takes_colour(STDOUT_FILENO)};
    log_tail_init(&viewer.tail, path);
    code = view(&viewer);
    for (size_t i = 0; i < RECENT_MAX; i++)
        free(viewer.recent.lines[i]);
    log_tail_release(&viewer.tail);
    free(path);
    return code;
}
