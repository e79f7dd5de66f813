#include "config/settings.h"

#include <stdlib.h>

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
    ruleset_free(counted->rules);
    arena_release(&counted->arena);
    free(counted);
}
