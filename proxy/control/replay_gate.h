/* The gate of a reload: a recorded day through the changed policy. */
#ifndef PROXY_CONTROL_REPLAY_GATE_H
#define PROXY_CONTROL_REPLAY_GATE_H

#include <stdatomic.h>

#include "config/settings.h"

/* Whether the policy refuses no more of the recorded transactions than
 * reload.refuse_above allows, or no gate is set. An error tells how many, and
 * the rule that refuses most. */
bool replay_gate_passes(const struct settings *fresh,
                        const atomic_bool *is_stopping, struct diags *diags);

#endif
