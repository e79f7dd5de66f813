#include "proxy/preflight.h"

#include "proxy/upstream/maildir.h"

#include <stdlib.h>
#include <string.h>

static bool needs_server_tls(const struct settings *settings)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (settings->listeners[i].tls != LISTENER_CLEAR)
            return true;
    return false;
}

static int open_client_tls(struct preflight *preflight,
                           const struct settings *settings, struct diags *diags)
{
    int result = 0;
    size_t count = settings->upstream_count;
    preflight->client_tls = calloc(count + 1, sizeof *preflight->client_tls);
    if (preflight->client_tls == NULL) {
        diags_error(diags, (struct mark){.file = settings->path},
                    "out of memory");
        return -1;
    }
    preflight->client_tls_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct upstream_settings *upstream = &settings->upstreams[i];
        if (upstream->maildir != NULL || upstream->tls == UPSTREAM_CLEAR)
            continue;
        preflight->client_tls[i] = tls_context_new_client(upstream, diags);
        if (preflight->client_tls[i] == NULL)
            result = -1;
    }
    return result;
}

static int visit_maildirs(const struct settings *settings,
                          int (*visit)(const char *path), struct diags *diags)
{
    int result = 0;
    for (size_t i = 0; i < settings->upstream_count; i++) {
        const struct upstream_settings *upstream = &settings->upstreams[i];
        if (upstream->maildir == NULL)
            continue;
        int error = visit(upstream->maildir);
        if (error == 0)
            continue;
        diags_error(diags, upstream->maildir_mark,
                    "%s cannot be used as a Maildir: %s", upstream->maildir,
                    strerrordesc_np(error));
        result = -1;
    }
    return result;
}

/* What both ways open. */
static int open_inputs(struct preflight *preflight,
                       const struct settings *settings, struct diags *diags)
{
    int result = 0;
    if (needs_server_tls(settings)) {
        preflight->server_tls = tls_context_new_server(&settings->tls, diags);
        if (preflight->server_tls == NULL)
            result = -1;
    }
    if (open_client_tls(preflight, settings, diags) != 0)
        result = -1;
    preflight->logins = logins_new(settings, diags);
    return preflight->logins == NULL ? -1 : result;
}

int preflight_open(struct preflight *preflight, const struct settings *settings,
                   struct diags *diags)
{
    *preflight = (struct preflight){0};
    int result = open_inputs(preflight, settings, diags);
    if (visit_maildirs(settings, maildir_prepare, diags) != 0)
        result = -1;
    preflight->decisions = decision_log_new(&settings->log, diags);
    preflight->log = server_log_new(&settings->log, diags);
    if (preflight->decisions == NULL || preflight->log == NULL)
        result = -1;
    else
        decision_log_report_to(preflight->decisions, preflight->log);
    if (result != 0)
        preflight_release(preflight);
    return result;
}

void preflight_release(struct preflight *preflight)
{
    decision_log_free(preflight->decisions);
    logins_free(preflight->logins);
    for (size_t i = 0; i < preflight->client_tls_count; i++)
        if (preflight->client_tls[i] != NULL)
            tls_context_free(preflight->client_tls[i]);
    free(preflight->client_tls);
    if (preflight->server_tls != NULL)
        tls_context_free(preflight->server_tls);
    server_log_free(preflight->log);
    *preflight = (struct preflight){0};
}

int preflight_check(const struct settings *settings, struct diags *diags)
{
    struct preflight preflight = {0};
    int result = open_inputs(&preflight, settings, diags);
    if (visit_maildirs(settings, maildir_check, diags) != 0)
        result = -1;
    if (decision_log_check(&settings->log, diags) != 0)
        result = -1;
    preflight_release(&preflight);
    return result;
}
