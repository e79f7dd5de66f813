/* limits and reload: what is kept over a restart, and what a changed policy
 * must pass. */
#include "config/sections.h"

#include <stddef.h>

static const char *const on_store_failure_words[] = {
    [ON_STORE_FAILURE_LOCAL] = "local",
    [ON_STORE_FAILURE_DEFER] = "defer",
    [ON_STORE_FAILURE_ALLOW] = "allow",
    NULL};

static const struct key limits_keys[] = {
    {.name = "state",
     .type = KEY_PATH,
     .fallback = "/var/lib/postern/limits",
     .help = "where budgets and dynamic lists are kept over a restart",
     .offset = offsetof(struct limits_settings, state),
     .mark_offset = offsetof(struct limits_settings, state_mark)},
    {.name = "store",
     .type = KEY_OWN,
     .fallback = "memory",
     .help = "memory, or a Redis that several servers share: "
             "redis://host:port/db or redis+unix:///path?db=N",
     .read = read_store},
    {.name = "store_user",
     .type = KEY_OWN,
     .help = "as which user of the Redis, if not the default one",
     .read = read_store_user},
    {.name = "store_password_file",
     .type = KEY_OWN,
     .help = "file with the password for the Redis in its first line",
     .read = read_store_password_file},
    {.name = "store_timeout",
     .type = KEY_TIME,
     .fallback = "250ms",
     .min = 5,
     .max = 60000,
     .help = "how long to wait for its answer",
     .offset = offsetof(struct limits_settings, store_timeout_ms)},
    {.name = "on_store_failure",
     .type = KEY_WORD,
     .fallback = "local",
     .words = on_store_failure_words,
     .help = "what follows when it can't be asked: local (the server's own "
             "budgets count), defer (451) or allow",
     .offset = offsetof(struct limits_settings, on_store_failure)},
};

const struct schema limits_schema = {"limits", limits_keys,
                                     sizeof limits_keys / sizeof *limits_keys};

static const struct key reload_keys[] = {
    {.name = "replay",
     .type = KEY_PATH,
     .is_required = true,
     .help = "a decision log that is run through a changed policy before it "
             "goes live",
     .offset = offsetof(struct reload_settings, replay),
     .mark_offset = offsetof(struct reload_settings, replay_mark)},
    {.name = "refuse_above",
     .type = KEY_PERCENT,
     .fallback = "1%",
     .max = 1000000,
     .help = "the share of its transactions that may be newly refused",
     .offset = offsetof(struct reload_settings, refuse_above_ppm)},
};

const struct schema reload_schema = {"reload", reload_keys,
                                     sizeof reload_keys / sizeof *reload_keys};
