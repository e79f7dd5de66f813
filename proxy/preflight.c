#include "proxy/preflight.h"

#include "proxy/tls/certificate_dates.h"
#include "proxy/upstream/maildir.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_A_DAY (24 * 60 * 60)

static bool needs_server_tls(const struct settings *settings)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (settings->listeners[i].tls != LISTENER_CLEAR)
            return true;
    return false;
}

typedef void date_teller(void *owner, struct mark mark, const char *words);

/* Of what listeners show to clients, and we to upstreams. */
static void tell_of_dates(const struct preflight *preflight, time_t now,
                          date_teller *tell, void *owner)
{
    const struct settings *settings = preflight->settings;
    if (preflight->certificates != NULL)
        certificate_dates_tell(preflight->certificates,
                               settings->tls.certificates, now, tell, owner);
    for (size_t i = 0; i < preflight->upstream_count; i++)
        if (preflight->client_tls[i] != NULL &&
            settings->upstreams[i].certificate.chain != NULL)
            certificate_dates_tell(preflight->client_tls[i],
                                   &settings->upstreams[i].certificate, now,
                                   tell, owner);
}

static void warn_of_dates(void *owner, struct mark mark, const char *words)
{
    diags_warn(owner, mark, "%s", words);
}

/* The first listener that asks its clients for certificates of the same CA. */
static size_t first_alike(const struct settings *settings, size_t index)
{
    const struct listener_settings *listeners = settings->listeners;
    size_t i = 0;
    while (i < index && (listeners[i].client_ca.path == NULL ||
                         strcmp(listeners[i].client_ca.path,
                                listeners[index].client_ca.path) != 0))
        i++;
    return i;
}

static int open_listener_tls(struct preflight *preflight,
                             const struct settings *settings,
                             struct files *files, struct diags *diags)
{
    int result = 0;
    size_t count = settings->listener_count;
    preflight->server_tls = calloc(count + 1, sizeof *preflight->server_tls);
    if (preflight->server_tls == NULL) {
        diags_error(diags, (struct mark){.file = settings->path},
                    "out of memory");
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct client_ca_settings *ca = &settings->listeners[i].client_ca;
        struct tls_context **mine = &preflight->server_tls[i];
        if (ca->path == NULL)
            *mine = preflight->certificates;
        else if (first_alike(settings, i) < i)
            *mine = preflight->server_tls[first_alike(settings, i)];
        else
            *mine = tls_context_asking_clients(
                preflight->certificates, &settings->tls, ca, files, diags);
        if (*mine == NULL)
            result = -1;
    }
    return result;
}

static int open_server_tls(struct preflight *preflight,
                           const struct settings *settings, struct files *files,
                           struct diags *diags)
{
    bool is_keyless = settings->tls.is_key_isolated && !preflight->has_keys;
    preflight->certificates =
        is_keyless ? tls_context_new_keyless(&settings->tls, files, diags)
                   : tls_context_new_server(&settings->tls, files, diags);
    if (preflight->certificates == NULL)
        return -1;
    return open_listener_tls(preflight, settings, files, diags);
}

static void release_server_tls(struct preflight *preflight)
{
    const struct settings *settings = preflight->settings;
    if (preflight->server_tls != NULL)
        for (size_t i = 0; i < settings->listener_count; i++)
            if (settings->listeners[i].client_ca.path != NULL &&
                first_alike(settings, i) == i)
                tls_context_free(preflight->server_tls[i]);
    free(preflight->server_tls);
    tls_context_free(preflight->certificates);
}

/* What one upstream takes to be reached. */
static int open_means(struct preflight *preflight,
                      const struct upstream_settings *upstream,
                      struct files *files, struct diags *diags)
{
    struct tls_context **tls = &preflight->client_tls[upstream->index];
    struct credential_book **book = &preflight->books[upstream->index];
    bool has_tls = upstream->maildir == NULL && upstream->tls != UPSTREAM_CLEAR;
    bool has_login = upstream->login.kind != LOGIN_NONE;
    if (has_tls)
        *tls = tls_context_new_client(upstream, files, diags);
    if (has_login)
        *book = credential_book_new(upstream, files, diags);
    return (has_tls && *tls == NULL) || (has_login && *book == NULL) ? -1 : 0;
}

static int open_upstreams(struct preflight *preflight,
                          const struct settings *settings, struct files *files,
                          struct diags *diags)
{
    int result = 0;
    size_t count = settings->upstream_count;
    preflight->client_tls = calloc(count + 1, sizeof *preflight->client_tls);
    preflight->books = calloc(count + 1, sizeof *preflight->books);
    if (preflight->client_tls == NULL || preflight->books == NULL) {
        diags_error(diags, (struct mark){.file = settings->path},
                    "out of memory");
        return -1;
    }
    preflight->upstream_count = count;
    for (size_t i = 0; i < count; i++)
        if (open_means(preflight, &settings->upstreams[i], files, diags) != 0)
            result = -1;
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

/* What shows who we are, and by what others are known: all that is renewed,
 * but for the logins. */
static int open_means_of_all(struct preflight *preflight,
                             const struct settings *settings,
                             struct files *files, struct diags *diags)
{
    int result = 0;
    preflight->settings = settings;
    if (needs_server_tls(settings) &&
        open_server_tls(preflight, settings, files, diags) != 0)
        result = -1;
    if (open_upstreams(preflight, settings, files, diags) != 0)
        result = -1;
    tell_of_dates(preflight, time(NULL), warn_of_dates, diags);
    return result;
}

/* What both ways open. */
static int open_inputs(struct preflight *preflight,
                       const struct settings *settings, struct files *files,
                       struct diags *diags)
{
    int result = open_means_of_all(preflight, settings, files, diags);
    preflight->logins = logins_new(settings, files, diags);
    if (limits_check(&settings->limits, files, diags) != 0 ||
        redaction_check(&settings->log.redaction, files, diags) != 0)
        result = -1;
    return preflight->logins == NULL ? -1 : result;
}

int preflight_open(struct preflight *preflight, const struct settings *settings,
                   struct files *files, struct diags *diags)
{
    *preflight = (struct preflight){0};
    int result = open_inputs(preflight, settings, files, diags);
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

/* --- renewal --- */

static void renew_server_tls(struct preflight *preflight,
                             struct preflight *fresh)
{
    const struct settings *settings = preflight->settings;
    for (size_t i = 0; i < settings->listener_count; i++)
        if (settings->listeners[i].client_ca.path != NULL &&
            first_alike(settings, i) == i)
            tls_context_renew(preflight->server_tls[i], fresh->server_tls[i]);
    tls_context_renew(preflight->certificates, fresh->certificates);
    free(fresh->server_tls);
}

/* Nothing can fail any more. What was there before goes. */
static void commit(struct preflight *preflight, struct preflight *fresh,
                   struct logins_renewal *logins)
{
    if (preflight->certificates != NULL)
        renew_server_tls(preflight, fresh);
    for (size_t i = 0; i < preflight->upstream_count; i++) {
        if (preflight->client_tls[i] != NULL)
            tls_context_renew(preflight->client_tls[i], fresh->client_tls[i]);
        if (preflight->books[i] != NULL)
            credential_book_renew(preflight->books[i], fresh->books[i]);
    }
    free(fresh->client_tls);
    free(fresh->books);
    logins_renew(preflight->logins, logins, preflight->log);
}

int preflight_renew(struct preflight *preflight, const struct settings *fresh,
                    struct files *files, struct diags *diags)
{
    struct preflight beside = {0};
    int result = open_means_of_all(&beside, fresh, files, diags);
    struct logins_renewal *logins = logins_prepare(fresh, files, diags);
    if (limits_check(&fresh->limits, files, diags) != 0 ||
        redaction_check(&fresh->log.redaction, files, diags) != 0)
        result = -1;
    if (result == 0 && logins != NULL) {
        commit(preflight, &beside, logins);
        return 0;
    }
    logins_renewal_free(logins);
    preflight_release(&beside);
    return -1;
}

static void log_dates(void *owner, struct mark mark, const char *words)
{
    (void)mark;
    server_log_write(owner, SERVER_WARNING, "%s", words);
}

void preflight_tell_of_dates(struct preflight *preflight, time_t now)
{
    if (now - preflight->dates_told < SECONDS_A_DAY)
        return;
    preflight->dates_told = now;
    tell_of_dates(preflight, now, log_dates, preflight->log);
}

void preflight_release(struct preflight *preflight)
{
    decision_log_free(preflight->decisions);
    logins_free(preflight->logins);
    for (size_t i = 0; i < preflight->upstream_count; i++) {
        if (preflight->client_tls[i] != NULL)
            tls_context_free(preflight->client_tls[i]);
        credential_book_free(preflight->books[i]);
    }
    free(preflight->client_tls);
    free(preflight->books);
    release_server_tls(preflight);
    server_log_free(preflight->log);
    *preflight = (struct preflight){0};
}

int preflight_check(const struct settings *settings, struct files *files,
                    struct key_set **keys, struct diags *diags)
{
    struct preflight preflight = {.has_keys = true};
    int result = open_inputs(&preflight, settings, files, diags);
    if (visit_maildirs(settings, maildir_check, diags) != 0)
        result = -1;
    if (decision_log_check(&settings->log, diags) != 0)
        result = -1;
    if (result == 0 && keys != NULL && preflight.certificates != NULL) {
        *keys = key_set_of(preflight.certificates);
        result = *keys == NULL ? -1 : 0;
    }
    preflight_release(&preflight);
    return result;
}
