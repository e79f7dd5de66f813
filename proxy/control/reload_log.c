#include "proxy/control/reload_log.h"

#include "proxy/log/json_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_CAP (64 * 1024)

/* The first error, with its place. */
static void reason_of(const struct diags *diags, char *out, size_t room)
{
    out[0] = '\0';
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        const char *file = diag->mark.file == NULL ? "" : diag->mark.file;
        if (diag->level != DIAG_ERROR)
            continue;
        if (diag->mark.line > 0)
            snprintf(out, room, "%s:%zu:%zu: %s", file, diag->mark.line,
                     diag->mark.column, diag->text);
        else
            snprintf(out, room, "%s: %s", file, diag->text);
        return;
    }
}

static const char *const askers[] = {
    [RELOAD_BY_CONTROL] = "control",
    [RELOAD_BY_SIGNAL] = "signal",
    [RELOAD_BY_FILE] = "file",
};

static void log_event(const struct reloader_host *host,
                      const struct reload_result *result,
                      const struct reload_cause *cause, const char *reason)
{
    struct json_line line;
    struct timespec now;
    bool is_live = result->end == RELOAD_LIVE;
    clock_gettime(CLOCK_REALTIME, &now);
    json_line_init(&line, LINE_CAP);
    json_open_object(&line, NULL);
    json_time(&line, "time",
              (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    json_text(&line, "event", STR("config"));
    json_text(&line, "by", str_from(askers[cause->by]));
    if (cause->by == RELOAD_BY_FILE)
        json_text(&line, "file", str_from(cause->path));
    json_text(&line, "verdict", is_live ? STR("accept") : STR("reject"));
    json_text(&line, "before", str_from(result->before));
    json_text(&line, "policy",
              str_from(is_live ? result->after : result->before));
    if (is_live && result->renewed_count > 0)
        json_text(&line, "renewed", str_from(result->renewed));
    if (!is_live) {
        json_text(&line, "reason", str_from(reason));
        json_number(&line, "errors", result->diags.errors);
    }
    json_close_object(&line);
    host->note(host->owner, json_line_end(&line));
    json_line_release(&line);
}

/* What is kept where a file can't be used. */
static const char *const kept[FILE_KINDS] = {
    [FILE_CONFIGURATION] = "rules", [FILE_LIST] = "entries",
    [FILE_USERS] = "logins",        [FILE_CERTIFICATE] = "certificates",
    [FILE_AUTHORITIES] = "CAs",     [FILE_KEY] = "certificates",
    [FILE_JWKS] = "keys",           [FILE_SECRET] = "secrets",
};

/* "PATH has changed", or PATH and others have. */
static void describe_change(const struct reload_cause *cause, char *to,
                            size_t room)
{
    if (cause->others == 0)
        snprintf(to, room, "%s %s has changed", file_kind_name(cause->kind),
                 cause->path);
    else
        snprintf(to, room, "%s %s has changed, and %zu more files",
                 file_kind_name(cause->kind), cause->path, cause->others);
}

/* What is to be known of the files that were read, and of what a reload can't
 * do; of the rest it was told before. */
static bool is_news(const struct reload_result *result, const char *file,
                    const char *text)
{
    static const char *const heads[] = {"certificate ", "the control socket "};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (strncmp(text, heads[i], strlen(heads[i])) == 0)
            return true;
    return strstr(result->renewed, file) != NULL;
}

static void log_warnings(const struct reloader_host *host,
                         const struct reload_result *result)
{
    for (size_t i = 0; i < result->diags.count; i++) {
        const struct diag *diag = &result->diags.items[i];
        const char *file = diag->mark.file == NULL ? "" : diag->mark.file;
        if (diag->level == DIAG_WARNING && is_news(result, file, diag->text))
            server_log_write(host->log, SERVER_WARNING, "%s:%zu:%zu: %s", file,
                             diag->mark.line, diag->mark.column, diag->text);
    }
}

static void log_renewal(const struct reloader_host *host,
                        const struct reload_result *result,
                        const struct reload_cause *cause, const char *reason)
{
    char change[FILES_PATH_MAX + 100];
    describe_change(cause, change, sizeof change);
    if (result->end != RELOAD_LIVE) {
        /* It may be right, and another file or a test of the policy is not. */
        bool is_guilty = strstr(reason, cause->path) != NULL;
        server_log_write(host->log, SERVER_ERROR,
                         "%s and %s: %s; the %s that were there before are "
                         "kept",
                         change,
                         is_guilty ? "can't be used" : "is not taken up",
                         reason, kept[cause->kind]);
        return;
    }
    server_log_write(host->log, SERVER_INFO, "%s; renewed: %s; policy %s",
                     change, result->renewed, result->after);
    log_warnings(host, result);
}

static void log_reload(const struct reloader_host *host,
                       const struct reload_result *result, const char *by,
                       const char *reason)
{
    if (result->end == RELOAD_LIVE)
        server_log_write(host->log, SERVER_INFO,
                         "reloaded, asked by %s: policy %s, %zu tests "
                         "passed%s%s%s%s",
                         by, result->after, result->tests,
                         result->renewed_count > 0 ? "; renewed: " : "",
                         result->renewed,
                         result->sections[0] != '\0'
                             ? "; a new worker process serves, for other "
                             : "",
                         result->sections);
    else
        server_log_write(host->log, SERVER_ERROR,
                         "reload refused, asked by %s; the policy stays as it "
                         "was: %s",
                         by, reason);
    if (result->end == RELOAD_LIVE)
        log_warnings(host, result);
}

void reload_log(const struct reloader_host *host,
                const struct reload_result *result,
                const struct reload_cause *cause)
{
    char reason[1024];
    if ((result->end != RELOAD_LIVE && result->end != RELOAD_REFUSED) ||
        result->is_same)
        return;
    reason_of(&result->diags, reason, sizeof reason);
    if (cause->by == RELOAD_BY_FILE)
        log_renewal(host, result, cause, reason);
    else
        log_reload(host, result, askers[cause->by], reason);
    log_event(host, result, cause, reason);
}
