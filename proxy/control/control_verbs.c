#include "proxy/control/control_verbs.h"

#include "proxy/log/json_line.h"
#include "proxy/log/printable.h"
#include "proxy/log/redactor.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 4096

uint64_t control_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t control_memory_octets(const struct controlled *c)
{
    char text[128];
    unsigned long long all, resident;
    ssize_t n = c->statm < 0 ? -1 : pread(c->statm, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (sscanf(text, "%llu %llu", &all, &resident) != 2)
        return 0;
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void control_put_value(const struct controlled *c, struct json_line *line,
                       const char *key, struct str value)
{
    const struct settings *policy = snapshots_newest(c->snapshots);
    const struct redaction *redaction = &policy->log.redaction;
    char room[REDACTED_ROOM];
    if (redaction->name_count > 0)
        value = redaction_token(redaction, value, room);
    json_text(line, key, value);
    settings_unref(policy);
}

json_t *control_text(struct str text)
{
    char shown[TEXT_MAX];
    json_t *plain = json_stringn(text.p, text.n);
    if (plain != NULL)
        return plain;
    return json_stringn(shown, printable(text, shown, sizeof shown));
}

const struct control_verb control_verbs[] = {
    {"status", verb_status},   {"overview", verb_overview},
    {"metrics", verb_metrics}, {"list", verb_list},
    {"limits", verb_limits},   {NULL, NULL},
};
