/* The token_command of an upstream, for a worker process that asks for it by
 * the upstream's name: which program that is the settings say, and nobody else.
 * It has the rights of what serves clients. */
#include "proxy/supervisor/supervisor_internal.h"

#include <unistd.h>

#include "proxy/confine/confinement.h"
#include "proxy/control/token_order.h"

static const char *const *command_of(const struct settings *settings,
                                     struct str upstream)
{
    for (size_t i = 0; i < settings->upstream_count; i++)
        if (str_equals(settings->upstreams[i].name, upstream))
            return settings->upstreams[i].login.token_command;
    return NULL;
}

/* False: it was told why not. */
static bool find_rights(const struct supervisor *s,
                        const struct settings *settings,
                        struct privileges *rights)
{
    char error[256] = "";
    const struct confinement confinement = {
        .user = settings->user,
        .is_user_named = settings->user_mark.line > 0,
    };
    if (confinement_user(&confinement, rights, error, sizeof error) !=
        PRIVILEGES_FAILED)
        return true;
    server_log_write(s->log, SERVER_ERROR, "token_command is not run: %s",
                     error);
    return false;
}

/* One that a supervisor before this one has started goes by settings that are
 * not here any more. */
void supervisor_run_command(struct supervisor *s,
                            const struct worker_handle *handle,
                            struct channel_message *message)
{
    struct str upstream;
    int ways[TOKEN_ORDER_DESCRIPTORS];
    const struct settings *settings =
        handle->settings != NULL ? handle->settings : s->settings;
    if (token_order_read(message, &upstream, ways) != 0)
        return;
    struct program_order order = {.settings = settings,
                                  .words = command_of(settings, upstream),
                                  .output = ways[0],
                                  .end = ways[1]};
    bool is_known = order.words != NULL;
    if (is_known && find_rights(s, settings, &order.rights)) {
        programs_take(&s->programs, &order, control_now_ms());
        return;
    }
    close(order.output);
    programs_refuse(order.end, is_known ? PROGRAM_NO_USER : PROGRAM_UNKNOWN, 0);
}
