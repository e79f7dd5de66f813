/* A reload within the process: other files, and workers that go by them. */
#include "proxy/server/server_internal.h"

#include "config/load.h"

static void publish(struct server *server, const struct settings *fresh)
{
    for (size_t i = 0; i < server->started; i++)
        worker_renew(server->workers[i], fresh);
}

/* The supervisor has tested it, and told of the warnings. */
static int take_up(struct server *server, struct files *files,
                   struct diags *diags)
{
    const struct settings *fresh =
        config_load_from(files, server->shared.settings->path, diags);
    if (fresh == NULL)
        return -1;
    if (preflight_renew(&server->opened, fresh, files, diags) != 0) {
        settings_unref(fresh);
        return -1;
    }
    if (snapshots_take(server->snapshots, fresh) != 0) {
        diags_error(diags, (struct mark){.file = fresh->path}, "out of memory");
        settings_unref(fresh);
        return -1;
    }
    publish(server, fresh);
    return 0;
}

int server_renew(struct server *server, int bundle, struct diags *diags)
{
    const char *wrong;
    struct files *files = files_from_bundle(bundle, &wrong);
    if (files == NULL) {
        diags_error(diags, (struct mark){.file = server->shared.settings->path},
                    "what the supervisor has read can't be taken up: %s",
                    wrong);
        return -1;
    }
    int result = take_up(server, files, diags);
    files_free(files);
    return result;
}
