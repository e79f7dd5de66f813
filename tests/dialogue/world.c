#include "tests/dialogue/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/dialogue/alloc_fault.h"
#include "tests/support/from_disk.h"

/* Longer than any deadline of the product. */
#define FOR_EVER_MS (3u * 3600 * 1000)
/* Most sessions are over by then. */
#define SILENCE_MS (15u * 60 * 1000)
#define TURNS_MAX 20000000u

/* The net of this client is full (RFC 5737's third example). */
static bool on_client_named(void *owner, const struct ip *client)
{
    static const struct cidr full = {{false, {203, 0, 113, 99}}, 32};
    (void)owner;
    return !cidr_contains(&full, client);
}

static void on_session_freed(void *owner, const struct ip *client)
{
    struct world *world = owner;
    (void)client;
    world->freed_sessions++;
}

static bool is_crowded(void *owner)
{
    const struct world *world = owner;
    return world->is_crowded;
}

/* The contexts are never looked into: what they stand for is faked. */
static struct tls_context *some_context(struct world *world)
{
    return (struct tls_context *)(void *)world;
}

static struct tls_context **listener_contexts(struct world *world)
{
    size_t count = world->scene->settings->listener_count;
    world->listener_contexts =
        plain_alloc((count + 1) * sizeof *world->listener_contexts);
    for (size_t i = 0; i < count; i++)
        world->listener_contexts[i] = some_context(world);
    return world->listener_contexts;
}

static void open_upstreams(struct world *world)
{
    const struct settings *settings = world->scene->settings;
    world->contexts =
        plain_alloc((settings->upstream_count + 1) * sizeof *world->contexts);
    for (size_t i = 0; i < settings->upstream_count; i++)
        if (settings->upstreams[i].tls != UPSTREAM_CLEAR)
            world->contexts[i] = some_context(world);
    const struct upstream_means means = {.contexts = world->contexts,
                                         .books = world->scene->books};
    world->upstreams = upstreams_new(&world->loop, settings, &means,
                                     &world->server_log, &world->decisions);
}

static void open_logins(struct world *world)
{
    struct diags diags;
    const struct back_end_means means = {
        .loop = &world->loop,
        .log = &world->server_log,
        .upstreams = world->upstreams,
    };
    diags_init(&diags);
    world->back_ends =
        FROM_DISK(logins_new(world->scene->settings, disk, &diags));
    if (world->back_ends)
        world->login_client = login_client_new(world->back_ends, &means);
    diags_release(&diags);
}

void world_open(struct world *world, const struct scene *scene, bool has_store)
{
    *world = (struct world){.scene = scene};
    fake_net_init(&world->loop);
    world->logins.script = scene->script;
    fake_login_use(&world->logins);
    /* Its own where it is to be replaced: nothing may point into it then. */
    world->policy = scene->script->next.n ? scene_load(scene, "postern.yaml")
                                          : settings_ref(scene->settings);
    alloc_fault_enter();
    world->ledger = shared_ledger_new(scene->ledger_keys);
    if (scene->script->candidate.n)
        world->shadow_ledger = shared_ledger_new(scene->ledger_keys);
    world->asks = asks_new(&world->loop, scene->settings, &world->server_log);
    world->scratch = evaluate_scratch_new();
    evaluate_scratch_limit(world->scratch, scene->settings->caps.pattern_steps);
    open_upstreams(world);
    open_logins(world);
    alloc_fault_leave();
    if (!world->ledger || !world->asks || !world->scratch ||
        !world->upstreams || !world->login_client)
        abort();
    world->late =
        (struct remote_ledger){.loop = &world->loop, .ledger = world->ledger};
    world->host = (struct session_host){
        .loop = &world->loop,
        .settings = scene->settings,
        .policy = world->policy,
        .tls = listener_contexts(world),
        .upstreams = world->upstreams,
        .logins = world->login_client,
        .budgets = {.ledger = world->ledger,
                    .remote = has_store ? &world->late : NULL},
        .shadow_ledger = world->shadow_ledger,
        .asks = world->asks,
        .scratch = world->scratch,
        .decisions = decision_log_lane(&world->decisions),
        .log = &world->server_log,
        .on_client_named = on_client_named,
        .on_session_freed = on_session_freed,
        .is_crowded = is_crowded,
        .owner = world,
    };
}

bool world_reload(struct world *world)
{
    const struct settings *before = world->policy;
    if (!world->scene->script->next.n)
        return false;
    world->policy = scene_load(world->scene, "next.yaml");
    if (!world->policy)
        abort();
    world->host.policy = world->policy;
    alloc_fault_enter();
    (void)asks_renew(world->asks, world->policy);
    settings_unref(before);
    alloc_fault_leave();
    return true;
}

bool world_settle(struct world *world)
{
    for (size_t turns = 0; turns < TURNS_MAX; turns++) {
        bool did = fake_net_turn(&world->loop);
        did |= fake_login_turn(&world->logins);
        if (!did)
            return true;
    }
    return false;
}

bool world_advance(struct world *world, uint64_t ms)
{
    uint64_t target = world->loop.now_us + ms * 1000;
    for (;;) {
        if (!world_settle(world))
            return false;
        if (world->loop.now_us >= target)
            return true;
        uint64_t next = fake_net_next_us(&world->loop, target);
        if (next > world->loop.now_us)
            world->loop.now_us = next;
    }
}

static void on_probed(void *owner)
{
    struct world *world = owner;
    world->is_probed = true;
}

void world_probe(struct world *world)
{
    alloc_fault_enter();
    upstreams_probe(world->upstreams, 2000, on_probed, world);
    alloc_fault_leave();
}

void world_stop(struct world *world)
{
    alloc_fault_enter();
    sessions_stop(&world->host);
    alloc_fault_leave();
}

void world_abort(struct world *world)
{
    alloc_fault_enter();
    sessions_abort(&world->host);
    alloc_fault_leave();
}

bool world_wait_for_ever(struct world *world)
{
    world->loop.holds_jobs = false;
    world->logins.mode = LOGINS_ANSWER;
    /* Servers are asked again for ever: no longer than somebody waits. */
    for (uint64_t ms = 0; ms < FOR_EVER_MS; ms += SILENCE_MS) {
        if (!world_advance(world, SILENCE_MS))
            return false;
        if (!world->host.sessions)
            return true;
    }
    return false;
}

struct far_end *world_connect(struct world *world, struct str host,
                              uint16_t port, struct str listener)
{
    const struct settings *settings = world->scene->settings;
    size_t i = 0;
    while (i < settings->listener_count &&
           !str_equals(settings->listeners[i].name, listener))
        i++;
    if (i == settings->listener_count)
        return NULL;
    struct far_end *far = far_end_new(&world->loop, 'C');
    snprintf(far->host, sizeof far->host, "%.*s", (int)host.n, host.p);
    far->port = port;
    far->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int fd = far->fd;
    alloc_fault_enter();
    session_start(&world->host, &settings->listeners[i], fd);
    alloc_fault_leave();
    if (far->fd >= 0) { /* it never became a stream, and is closed */
        if (fcntl(fd, F_GETFD) != -1)
            abort();
        far->fd = -1;
        far_end_saw(far, FAR_SAW_CLOSE, "");
    }
    return far;
}

static void on_closed(void *owner)
{
    struct world *world = owner;
    world->is_closed = true;
}

static const char *close_upstreams(struct world *world)
{
    alloc_fault_enter();
    upstreams_close(world->upstreams, on_closed, world);
    alloc_fault_leave();
    for (struct far_end *f = world->loop.far_ends; f; f = f->next) {
        f->is_stalled = false;
        if (f->side == 'U' && f->end == FAR_OPEN)
            f->end = FAR_CLOSES;
    }
    world_advance(world, 20000);
    const char *left = world->is_closed ? NULL : "an upstream's connection";
    alloc_fault_enter();
    upstreams_free(world->upstreams);
    alloc_fault_leave();
    world_settle(world);
    return left;
}

const char *world_close(struct world *world)
{
    const char *left, *net_left;
    alloc_fault_arm(0, false);
    world->loop.holds_jobs = false;
    world->logins.mode = LOGINS_ANSWER;
    world_settle(world);
    world_abort(world);
    world_settle(world);
    alloc_fault_enter();
    asks_free(world->asks);
    alloc_fault_leave();
    world_settle(world);
    alloc_fault_enter();
    login_client_free(world->login_client);
    logins_free(world->back_ends);
    alloc_fault_leave();
    world_settle(world);
    left = world->host.sessions ? "a session" : close_upstreams(world);
    if (!fake_net_release(&world->loop, &net_left) && !left)
        left = net_left;
    if ((world->logins.queries || world->logins.tokens) && !left)
        left = "a login query";
    if (world->late.questions != NULL && !left)
        left = "a question to the store";
    alloc_fault_enter();
    shared_ledger_free(world->ledger);
    shared_ledger_free(world->shadow_ledger);
    evaluate_scratch_free(world->scratch);
    alloc_fault_leave();
    json_line_release(&world->host.log_line);
    settings_unref(world->policy);
    plain_free(world->contexts);
    plain_free(world->listener_contexts);
    log_lines_release(&world->decisions.lines);
    log_lines_release(&world->server_log.lines);
    if (alloc_fault_live() && !left)
        left = "memory";
    return left;
}
