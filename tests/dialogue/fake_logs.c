#include "tests/dialogue/fake_logs.h"

#include <stdarg.h>
#include <stdio.h>

#include "tests/dialogue/alloc_fault.h"

void log_lines_add(struct log_lines *lines, struct str text)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity ? lines->capacity * 2 : 16;
        lines->items =
            plain_grow(lines->items, lines->capacity * sizeof *lines->items);
    }
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    struct log_line *line = &lines->items[lines->count++];
    *line = (struct log_line){0};
    octets_append(&line->text, text);
}

void log_lines_release(struct log_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        octets_release(&lines->items[i].text);
    plain_free(lines->items);
    *lines = (struct log_lines){0};
}

struct decision_log *decision_log_new(const struct log_settings *settings,
                                      struct diags *diags)
{
    (void)settings;
    (void)diags;
    return plain_alloc(sizeof(struct decision_log));
}

void decision_log_write(struct decision_log *log, struct str line)
{
    if (line.n) /* an empty one stands for one that is lost */
        log_lines_add(&log->lines, line);
}

/* There is one thread, and the log is its lane. */
struct decision_lane *decision_log_lane(struct decision_log *log)
{
    return (struct decision_lane *)log;
}

void decision_lane_write(struct decision_lane *lane, struct str line)
{
    decision_log_write((struct decision_log *)lane, line);
}

void decision_lane_write_mail(struct decision_lane *lane, struct str line)
{
    decision_lane_write(lane, line);
}

bool decision_lane_takes_mail(struct decision_lane *lane)
{
    return !((struct decision_log *)lane)->is_failing;
}

void decision_log_reopen(struct decision_log *log)
{
    (void)log;
}

void decision_log_free(struct decision_log *log)
{
    log_lines_release(&log->lines);
    plain_free(log);
}

struct server_log *server_log_new(const struct log_settings *settings,
                                  struct diags *diags)
{
    (void)settings;
    (void)diags;
    return plain_alloc(sizeof(struct server_log));
}

void server_log_free(struct server_log *log)
{
    log_lines_release(&log->lines);
    plain_free(log);
}

void server_log_write(struct server_log *log, enum server_log_level level,
                      const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char text[1024];
    va_list args;
    if (!log)
        return;
    int n = snprintf(text, sizeof text, "%s: ", names[level]);
    va_start(args, format);
    vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    log_lines_add(&log->lines, str_from(text));
}
