#include "proxy/control/replay_gate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/replay/replay.h"
#include "proxy/replay/result.h"

#define MILLION 1000000

/* The hours of a recorded day are those of `timezone`, and nobody else in this
 * process asks for local time. What was there before, which leave_zone() puts
 * back: processes that are started have it from here. */
static char *enter_zone(const char *zone)
{
    const char *set = getenv("TZ");
    char *before = set == NULL ? NULL : strdup(set);
    if (zone != NULL)
        setenv("TZ", zone, 1);
    tzset();
    return before;
}

static void leave_zone(char *before)
{
    if (before != NULL)
        setenv("TZ", before, 1);
    else
        unsetenv("TZ");
    tzset();
    free(before);
}

static bool on_progress(void *owner, uint64_t done, uint64_t total)
{
    const atomic_bool *is_stopping = owner;
    (void)done;
    (void)total;
    return !atomic_load(is_stopping);
}

/* The rule that newly refuses most; NULL: none does. */
static const struct replay_row *worst_row(const struct replay *replay)
{
    const struct replay_row *worst = NULL;
    for (size_t i = 0; i < replay->row_count; i++) {
        const struct replay_row *row = &replay->rows[i];
        uint64_t most = worst == NULL ? 0 : worst->counts[NEWLY_REFUSED];
        if (row->counts[NEWLY_REFUSED] > most)
            worst = row;
    }
    return worst;
}

static bool compare(const struct settings *fresh, const struct replay *replay,
                    struct diags *diags)
{
    const struct reload_settings *gate = &fresh->reload;
    const struct replay_row *worst = worst_row(replay);
    uint64_t all = replay_transactions(replay);
    uint64_t refused = replay_newly_refused(replay);
    double share = all == 0 ? 0 : 100.0 * (double)refused / (double)all;
    if (refused * MILLION <= all * gate->refuse_above_ppm)
        return true;
    diags_error(diags, gate->replay_mark,
                "%" PRIu64 " of %" PRIu64 " transactions recorded in %s would "
                "be newly refused, %.2f %% (refuse_above: %.2f %%)%s%s%s; "
                "`postern replay` shows which",
                refused, all, gate->replay, share,
                (double)gate->refuse_above_ppm / (MILLION / 100),
                worst == NULL ? "" : ", most of them by the rule \"",
                worst == NULL ? "" : worst->rule, worst == NULL ? "" : "\"");
    return false;
}

bool replay_gate_passes(const struct settings *fresh,
                        const atomic_bool *is_stopping, struct diags *diags)
{
    char error[512];
    const struct replay_progress progress = {(void *)(uintptr_t)is_stopping,
                                             on_progress};
    if (fresh->reload.replay == NULL)
        return true;
    char *before = enter_zone(fresh->timezone);
    struct replay *replay =
        replay_run(fresh, fresh->reload.replay, &progress, error, sizeof error);
    leave_zone(before);
    if (replay == NULL) {
        diags_error(diags, fresh->reload.replay_mark,
                    "the changed policy can't be tried on a recorded day: %s; "
                    "without the section `reload` it need not be",
                    error);
        return false;
    }
    bool passes = compare(fresh, replay, diags);
    replay_free(replay);
    return passes;
}
