#include "proxy/control/replay_gate.h"

bool replay_gate_passes(const struct settings *fresh,
                        const atomic_bool *is_stopping, struct diags *diags)
{
    (void)is_stopping;
    if (fresh->reload.replay == NULL)
        return true;
    diags_error(diags, fresh->reload.replay_mark, "not built yet");
    return false;
}
