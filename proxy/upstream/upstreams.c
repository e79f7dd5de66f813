#include "proxy/upstream/upstreams_internal.h"

#include "proxy/upstream/maildir.h"

#include <stdlib.h>
#include <string.h>

static void probed_if_done(struct upstreams *upstreams)
{
    if (upstreams->on_probed == NULL || upstreams->probes_due > 0)
        return;
    void (*on_probed)(void *owner) = upstreams->on_probed;
    upstreams->on_probed = NULL;
    timer_stop(upstreams->probe_timer);
    on_probed(upstreams->probe_owner);
}

static bool is_emptied(const struct upstreams *upstreams)
{
    for (size_t i = 0; i < upstreams->settings->upstream_count; i++)
        if (upstreams->pools[i] != NULL && !pool_is_empty(upstreams->pools[i]))
            return false;
    return upstreams->maildir_busy == 0;
}

static void run_later(struct loop_later *later)
{
    struct upstreams *upstreams =
        (struct upstreams *)((char *)later - offsetof(struct upstreams, later));
    if (upstreams->is_freed) {
        /* A job of a Maildir comes back here. */
        if (upstreams->maildir_busy == 0)
            free(upstreams);
        return;
    }
    probed_if_done(upstreams);
    if (!upstreams->is_closing || upstreams->on_closed == NULL ||
        !is_emptied(upstreams))
        return;
    void (*on_closed)(void *owner) = upstreams->on_closed;
    upstreams->on_closed = NULL;
    on_closed(upstreams->close_owner);
}

static void on_probe_timer(void *owner)
{
    struct upstreams *upstreams = owner;
    /* Those still connecting go on by themselves. */
    upstreams->probes_due = 0;
    probed_if_done(upstreams);
}

static void on_pool_probed(void *owner)
{
    struct upstreams *upstreams = owner;
    if (upstreams->probes_due == 0)
        return;
    upstreams->probes_due--;
    loop_later(upstreams->loop, &upstreams->later);
}

static void on_pool_emptied(void *owner)
{
    struct upstreams *upstreams = owner;
    if (upstreams->is_closing)
        loop_later(upstreams->loop, &upstreams->later);
}

static const struct pool_events pool_events = {
    .on_probed = on_pool_probed,
    .on_emptied = on_pool_emptied,
};

void upstreams_maildir_done(struct upstreams *upstreams)
{
    upstreams->maildir_busy--;
    on_pool_emptied(upstreams);
}

static int make_one(struct upstreams *upstreams,
                    const struct upstream_settings *settings,
                    const struct upstream_means *means)
{
    const struct pool_logs logs = {.server = upstreams->log,
                                   .decisions = upstreams->decisions};
    if (settings->maildir == NULL) {
        upstreams->pools[settings->index] =
            pool_new(upstreams->loop, upstreams->settings, settings, means,
                     &logs, &pool_events, upstreams);
        return upstreams->pools[settings->index] == NULL ? -1 : 0;
    }
    int error = maildir_prepare(settings->maildir);
    /* Deliveries to it are deferred until somebody mends it. */
    if (error != 0)
        server_log_write(upstreams->log, SERVER_ERROR,
                         "upstream %.*s: %s cannot be used as a Maildir: %s",
                         (int)settings->name.n, settings->name.p,
                         settings->maildir, strerrordesc_np(error));
    return 0;
}

struct upstreams *upstreams_new(struct loop *loop,
                                const struct settings *settings,
                                const struct upstream_means *means,
                                struct server_log *log,
                                struct decision_log *decisions)
{
    struct upstreams *upstreams = calloc(1, sizeof(*upstreams));
    if (upstreams == NULL)
        return NULL;
    *upstreams = (struct upstreams){
        .loop = loop,
        .settings = settings,
        .log = log,
        .decisions = decisions,
        .books = means->books,
        .pools = calloc(settings->upstream_count + 1, sizeof(struct pool *)),
        .probe_timer = timer_new(loop, on_probe_timer, upstreams),
        .later.run = run_later,
    };
    bool is_fine = upstreams->pools != NULL && upstreams->probe_timer != NULL;
    for (size_t i = 0; is_fine && i < settings->upstream_count; i++)
        is_fine = make_one(upstreams, &settings->upstreams[i], means) == 0;
    if (is_fine)
        return upstreams;
    upstreams_free(upstreams);
    return NULL;
}

void upstreams_report(struct upstreams *upstreams, struct health_board *board,
                      size_t worker)
{
    for (size_t i = 0; i < upstreams->settings->upstream_count; i++)
        if (upstreams->pools[i] != NULL)
            pool_report(upstreams->pools[i], board, worker);
}

void upstreams_count_in(struct upstreams *upstreams, struct metrics_lane *lane)
{
    for (size_t i = 0; i < upstreams->settings->upstream_count; i++)
        if (upstreams->pools[i] != NULL)
            pool_count_in(upstreams->pools[i], lane);
}

void upstreams_tell_counts(struct upstreams *upstreams)
{
    for (size_t i = 0; i < upstreams->settings->upstream_count; i++)
        if (upstreams->pools[i] != NULL)
            pool_tell_counts(upstreams->pools[i]);
}

void upstreams_probe(struct upstreams *upstreams, uint64_t wait_ms,
                     void (*on_probed)(void *owner), void *owner)
{
    upstreams->on_probed = on_probed;
    upstreams->probe_owner = owner;
    for (size_t i = 0; i < upstreams->settings->upstream_count; i++)
        if (upstreams->pools[i] != NULL)
            upstreams->probes_due += pool_probe(upstreams->pools[i]);
    if (upstreams->probes_due > 0)
        timer_start(upstreams->probe_timer, wait_ms);
    else
        loop_later(upstreams->loop, &upstreams->later);
}

void upstreams_capabilities(const struct upstreams *upstreams,
                            const struct upstream_settings *upstream,
                            struct capabilities *out)
{
    const struct pool *pool = upstreams->pools[upstream->index];
    if (pool != NULL)
        pool_capabilities(pool, out);
    else
        maildir_capabilities(out);
}

int upstreams_credentials(const struct upstreams *upstreams,
                          const struct upstream_settings *upstream,
                          struct str value, struct kept_credentials *out)
{
    return credential_book_find(upstreams->books[upstream->index], value, out);
}

void upstreams_client_left(struct upstreams *upstreams,
                           const struct client_identity *client,
                           struct str session)
{
    for (size_t i = 0; i < upstreams->settings->upstream_count; i++)
        if (upstreams->pools[i] != NULL)
            pool_client_left(upstreams->pools[i], client, session);
}

void upstreams_close(struct upstreams *upstreams,
                     void (*on_closed)(void *owner), void *owner)
{
    upstreams->is_closing = true;
    upstreams->on_closed = on_closed;
    upstreams->close_owner = owner;
    for (size_t i = 0; i < upstreams->settings->upstream_count; i++)
        if (upstreams->pools[i] != NULL)
            pool_close(upstreams->pools[i]);
    loop_later(upstreams->loop, &upstreams->later);
}

void upstreams_free(struct upstreams *upstreams)
{
    if (upstreams == NULL)
        return;
    for (size_t i = 0;
         upstreams->pools != NULL && i < upstreams->settings->upstream_count;
         i++)
        pool_free(upstreams->pools[i]);
    timer_free(upstreams->probe_timer);
    free(upstreams->pools);
    upstreams->is_closing = true; /* the last Maildir delivery tells */
    upstreams->is_freed = true;
    loop_later(upstreams->loop, &upstreams->later);
}
