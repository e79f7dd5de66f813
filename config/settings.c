#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

struct str settings_route(const struct settings *settings, struct str listener,
                          struct str route)
{
    if (route.n > 0)
        return route;
    for (size_t i = 0; i < settings->listener_count; i++)
        if (str_equals_nocase(settings->listeners[i].name, listener))
            return settings->listeners[i].upstream->name;
    return settings->upstream == NULL ? STR("") : settings->upstream->name;
}

const struct settings *settings_ref(const struct settings *settings)
{
    struct settings *counted = (struct settings *)(uintptr_t)settings;
    __atomic_add_fetch(&counted->references, 1, __ATOMIC_RELAXED);
    return settings;
}

void settings_unref(const struct settings *settings)
{
    struct settings *counted = (struct settings *)(uintptr_t)settings;
    if (counted == NULL ||
        __atomic_sub_fetch(&counted->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    settings_drop_rules(settings);
    if (counted->limits.store_password.n > 0)
        explicit_bzero((char *)(uintptr_t)counted->limits.store_password.p,
                       counted->limits.store_password.n);
    explicit_bzero(counted->log.redaction.secret,
                   sizeof counted->log.redaction.secret);
    arena_release(&counted->arena);
    free(counted);
}

bool settings_has_references(const struct settings *settings, int count)
{
    return __atomic_load_n(&settings->references, __ATOMIC_ACQUIRE) == count;
}

void settings_drop_rules(const struct settings *settings)
{
    struct settings *emptied = (struct settings *)(uintptr_t)settings;
    ruleset_free(emptied->rules);
    ruleset_free(emptied->shadow);
    emptied->rules = emptied->shadow = NULL;
}

const char *settings_next_change(const struct settings *before,
                                 const struct settings *after,
                                 struct section_cursor *cursor)
{
    while (cursor->left < before->section_count ||
           cursor->right < after->section_count) {
        const struct section_digest *left =
            cursor->left < before->section_count
                ? &before->sections[cursor->left]
                : NULL;
        const struct section_digest *right =
            cursor->right < after->section_count
                ? &after->sections[cursor->right]
                : NULL;
        int order = left == NULL    ? 1
                    : right == NULL ? -1
                                    : strcmp(left->name, right->name);
        cursor->left += order <= 0;
        cursor->right += order >= 0;
        if (order != 0)
            return order < 0 ? left->name : right->name;
        if (strcmp(left->hex, right->hex) != 0)
            return left->name;
    }
    return NULL;
}
