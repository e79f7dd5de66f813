#include "proxy/explain/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/log/log_tail.h"

#define SESSION_ID_LENGTH 10
#define TRANSACTION_ID_LENGTH 12

int past_init(struct past *past, const char *id)
{
    size_t length = strlen(id);
    *past = (struct past){.is_session = length == SESSION_ID_LENGTH};
    if (length != SESSION_ID_LENGTH && length != TRANSACTION_ID_LENGTH)
        return -1;
    for (size_t i = 0; i < length; i++) {
        char c = ascii_lower(id[i]);
        if (!ascii_is_alpha(c) && !ascii_is_digit(c))
            return -1;
        past->id[i] = ascii_is_alpha(c) ? (char)(c - 'a' + 'A') : c;
    }
    return 0;
}

void past_release(struct past *past)
{
    for (size_t i = 0; i < past->count; i++) {
        json_decref(past->lines[i].entry);
        free(past->lines[i].text);
    }
    free(past->lines);
    *past = (struct past){0};
}

static bool is_session(const json_t *entry, const char *id)
{
    const char *session = json_string_value(json_object_get(entry, "session"));
    return session != NULL && strncmp(session, id, SESSION_ID_LENGTH) == 0;
}

static bool is_asked_for(const struct past *past, const json_t *entry)
{
    const char *id = json_string_value(json_object_get(entry, "id"));
    const char *event = json_string_value(json_object_get(entry, "event"));
    return (id != NULL && strcmp(id, past->id) == 0) ||
           (event != NULL && strcmp(event, "session") == 0);
}

static bool has_room(const struct past *past, size_t octets,
                     const json_t *entry)
{
    size_t share = is_asked_for(past, entry) ? 1 : 2;
    return past->count < PAST_LINES_MAX / share &&
           past->octets + octets <= PAST_OCTETS_MAX / share;
}

static int add(struct past *past, struct str text, json_t *entry)
{
    if (!has_room(past, text.n, entry))
        return -1;
    if (past->count == past->capacity) {
        size_t capacity = past->capacity == 0 ? 16 : past->capacity * 2;
        struct past_line *moved =
            reallocarray(past->lines, capacity, sizeof *moved);
        if (moved == NULL)
            return -1;
        past->lines = moved;
        past->capacity = capacity;
    }
    char *copy = malloc(text.n);
    if (copy == NULL)
        return -1;
    memcpy(copy, text.p, text.n);
    past->lines[past->count++] = (struct past_line){entry, copy, text.n};
    past->octets += text.n;
    return 0;
}

/* Most lines are of others: they are not read as JSON. */
static void look_at(struct past *past, struct str line)
{
    if (line.n == 0 ||
        memmem(line.p, line.n, past->id, SESSION_ID_LENGTH) == NULL)
        return;
    json_t *entry = json_loadb(line.p, line.n, 0, NULL);
    if (!json_is_object(entry) || !is_session(entry, past->id) ||
        add(past, line, entry) != 0)
        json_decref(entry);
}

int past_look(struct past *past, const char *path)
{
    return past_look_near_end(past, path, UINT64_MAX);
}

int past_look_near_end(struct past *past, const char *path, uint64_t octets)
{
    struct log_tail tail;
    struct str line = {NULL, 0};
    enum tail_next next = TAIL_ERROR;
    log_tail_init(&tail, path);
    if (log_tail_open(&tail) == 0 && log_tail_skip_to_end(&tail, octets) == 0)
        while ((next = log_tail_next(&tail, &line)) == TAIL_LINE ||
               next == TAIL_OVERLONG)
            if (next == TAIL_LINE)
                look_at(past, line);
    int error = errno;
    log_tail_release(&tail);
    errno = error;
    if (next == TAIL_ERROR)
        return -1;
    past->files++;
    return 0;
}

const struct past_line *past_line(const struct past *past, const char *event)
{
    for (size_t i = 0; i < past->count; i++) {
        const json_t *entry = past->lines[i].entry;
        const char *id = json_string_value(json_object_get(entry, "id"));
        const char *is = json_string_value(json_object_get(entry, "event"));
        bool is_own = strcmp(event, "session") == 0;
        if (is != NULL && strcmp(is, event) == 0 &&
            (is_own || (id != NULL && strcmp(id, past->id) == 0)))
            return &past->lines[i];
    }
    return NULL;
}
