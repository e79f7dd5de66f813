#include "proxy/control/reload_log.h"

#include "proxy/log/json_line.h"

#include <stdio.h>
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

static void log_event(const struct reloader_host *host,
                      const struct reload_result *result, const char *by,
                      const char *reason)
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
    json_text(&line, "by", str_from(by));
    json_text(&line, "verdict", is_live ? STR("accept") : STR("reject"));
    json_text(&line, "before", str_from(result->before));
    json_text(&line, "policy",
              str_from(is_live ? result->after : result->before));
    if (!is_live) {
        json_text(&line, "reason", str_from(reason));
        json_number(&line, "errors", result->diags.errors);
    }
    json_close_object(&line);
    decision_log_write(host->decisions, json_line_end(&line));
    json_line_release(&line);
}

void reload_log(const struct reloader_host *host,
                const struct reload_result *result, const char *by)
{
    char reason[1024];
    reason_of(&result->diags, reason, sizeof reason);
    if (result->end == RELOAD_LIVE)
        server_log_write(host->log, SERVER_INFO,
                         "reloaded, asked by %s: policy %s, %zu tests passed",
                         by, result->after, result->tests);
    else if (result->end == RELOAD_REFUSED)
        server_log_write(host->log, SERVER_ERROR,
                         "reload refused, asked by %s; the policy stays as it "
                         "was: %s",
                         by, reason);
    if (result->end == RELOAD_LIVE || result->end == RELOAD_REFUSED)
        log_event(host, result, by, reason);
}
