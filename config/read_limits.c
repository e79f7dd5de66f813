/* limits and reload: what is kept over a restart, and what a changed policy
 * must pass. */
#include "config/sections.h"

#include <stddef.h>

static const struct key limits_keys[] = {
    {.name = "state",
     .type = KEY_PATH,
     .fallback = "/var/lib/postern/limits",
     .help = "where budgets and dynamic lists are kept over a restart",
     .offset = offsetof(struct limits_settings, state),
     .mark_offset = offsetof(struct limits_settings, state_mark)},
    {.name = "store",
     .is_planned = true,
     .help = "memory, or a Redis that several servers share"},
    {.name = "on_store_failure",
     .is_planned = true,
     .help = "what follows when that can't be asked: local, defer or allow"},
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
