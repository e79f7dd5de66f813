/* A change is told when nobody has written for a while and two looks saw the
 * same: of a certificate and its key, put there one after the other, both. */
#include "config/files.h"

#include <string.h>

#include "config/files_internal.h"

/* Looks without rest, after which what does rest is told: one file that
 * somebody writes to without end must not hold up the others. */
#define RESTLESS_MAX 100

enum seen { SEEN_SAME, SEEN_GONE, SEEN_RESTLESS, SEEN_CHANGED };

static bool is_watched(const struct file *file)
{
    return file->kind != FILE_CONFIGURATION &&
           (file->mode == 0 || S_ISREG(file->mode));
}

static enum seen look_at(struct file_record *record, const struct timespec *now)
{
    static const struct file_stamp none;
    struct file_stamp seen = file_stamp_at(record->path);
    bool is_second = file_stamp_equals(&seen, &record->pending);
    record->pending = seen;
    if (file_stamp_equals(&seen, &record->told))
        return SEEN_SAME;
    if (file_stamp_equals(&seen, &none)) {
        record->told = seen;
        return SEEN_GONE;
    }
    return is_second && file_stamp_rests(&seen, now, FILES_REST_MS)
               ? SEEN_CHANGED
               : SEEN_RESTLESS;
}

/* They are told of now: not again before they change again. */
static void take_changed(struct files *files, const struct timespec *now,
                         struct files_news *news)
{
    for (size_t i = 0; i < files->count; i++) {
        struct file_record *record = files->records[i];
        if (!is_watched(&record->file) ||
            file_stamp_equals(&record->pending, &record->told) ||
            !file_stamp_rests(&record->pending, now, FILES_REST_MS))
            continue;
        record->told = record->pending;
        if (news->count++ == 0)
            news->changed = &record->file;
    }
}

enum files_state files_look(struct files *files, const struct timespec *now,
                            struct files_news *news)
{
    bool is_restless = false, has_changed = false;
    news->changed = NULL;
    news->count = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (!is_watched(&files->records[i]->file))
            continue;
        enum seen seen = look_at(files->records[i], now);
        if (seen == SEEN_GONE)
            news->on_gone(news->owner, &files->records[i]->file);
        is_restless |= seen == SEEN_RESTLESS;
        has_changed |= seen == SEEN_CHANGED;
    }
    files->restless = is_restless ? files->restless + 1 : 0;
    if (is_restless && !(has_changed && files->restless > RESTLESS_MAX))
        return FILES_RESTLESS;
    if (!has_changed)
        return FILES_SAME;
    take_changed(files, now, news);
    return FILES_CHANGED;
}

static bool is_same(const struct file *a, const struct file *b)
{
    return a->error == b->error && a->mode == b->mode && a->size == b->size &&
           strcmp(a->digest, b->digest) == 0;
}

const struct file *files_next_change(const struct files *before,
                                     const struct files *after, size_t *at)
{
    while (*at < after->count) {
        const struct file *file = &after->records[(*at)++]->file;
        const struct file_record *old =
            files_find(before, file->kind, file->path);
        if (old == NULL || !is_same(&old->file, file))
            return file;
    }
    return NULL;
}
