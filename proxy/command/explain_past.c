#include "proxy/command/explain_past.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/command/subcommands.h"
#include "proxy/explain/past_telling.h"

static int look(struct past *past, const char *log)
{
    char older[4096];
    int length = snprintf(older, sizeof older, "%s.1", log);
    bool has_older = false;
    if (length > 0 && (size_t)length < sizeof older && strcmp(log, "-") != 0)
        has_older = past_look(past, older) == 0;
    if (past_look(past, log) == 0)
        return EXIT_FINE;
    if (errno == ENOENT && has_older)
        return EXIT_FINE;
    fprintf(stderr, "postern explain: %s: %s\n", log, strerror(errno));
    return EXIT_FOUND;
}

static int say_nothing(const struct past *past, const char *log)
{
    fprintf(stderr, "postern explain: there is no %s in %s%s%s\n", past->id,
            log, past->files > 1 ? " or the file before it, " : "",
            past->files > 1 ? "*.1" : "");
    return EXIT_FOUND;
}

static int tell(const struct past *past, const struct settings *settings,
                enum past_form form)
{
    if (past_tell(past, settings, stdout, form) == 0)
        return EXIT_FINE;
    fputs("postern explain: out of memory\n", stderr);
    return EXIT_FOUND;
}

static const char *find_log(const struct explain_options *options,
                            const struct settings *settings)
{
    return options->log != NULL ? options->log : settings->log.decisions;
}

int explain_past(const struct explain_options *options,
                 const struct settings *settings, bool is_coloured)
{
    struct past past;
    const char *log = find_log(options, settings);
    if (past_init(&past, options->id) != 0)
        return subcommand_misuse("explain",
                                 "an id is the ten or twelve letters and "
                                 "digits at the end of a reply, not",
                                 options->id);
    if (log == NULL)
        return subcommand_misuse("explain",
                                 "the configuration names no file as "
                                 "log.decisions: give --log FILE",
                                 NULL);
    int code = look(&past, log);
    enum past_form form = is_coloured ? PAST_COLOURED : PAST_PLAIN;
    if (code == EXIT_FINE)
        code = past_is_found(&past)
                   ? tell(&past, settings, options->is_json ? PAST_JSON : form)
                   : say_nothing(&past, log);
    past_release(&past);
    return code;
}
