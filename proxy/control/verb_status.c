/* How the server is: since when it runs, with what, and its upstreams. */
#include "proxy/control/control_verbs.h"

#include <unistd.h>

static const char *state_of(const struct health_sum *sum)
{
    if (sum->down == 0 && sum->unknown == 0)
        return "up";
    if (sum->up == 0 && sum->unknown == 0)
        return "down";
    return sum->up == 0 && sum->down == 0 ? "unknown" : "differs";
}

static json_t *server_of(const struct controlled *c,
                         const struct upstream_settings *upstream,
                         size_t server)
{
    struct health_sum sum;
    health_board_sum(c->health, upstream->index, server, &sum);
    json_t *item =
        json_pack("{s:o, s:s, s:{s:I, s:I, s:I}}", "server",
                  control_text(upstream->servers[server].text), "state",
                  state_of(&sum), "workers", "up", (json_int_t)sum.up, "down",
                  (json_int_t)sum.down, "unknown", (json_int_t)sum.unknown);
    uint64_t now_ms = control_now_ms();
    /* A loop's clock is read once a turn, and so may be a little behind. */
    if (sum.since_ms > 0)
        json_object_set_new(
            item, "for_ms",
            json_integer(now_ms > sum.since_ms
                             ? (json_int_t)(now_ms - sum.since_ms)
                             : 0));
    if (sum.down > 0)
        json_object_set_new(item, "fault", control_text(str_from(sum.fault)));
    return item;
}

static json_t *upstream_of(const struct controlled *c,
                           const struct upstream_settings *upstream)
{
    if (upstream->maildir != NULL)
        return json_pack("{s:o, s:o}", "name", control_text(upstream->name),
                         "maildir", control_text(str_from(upstream->maildir)));
    json_t *servers = json_array();
    for (size_t i = 0; i < upstream->server_count; i++)
        json_array_append_new(servers, server_of(c, upstream, i));
    return json_pack("{s:o, s:o}", "name", control_text(upstream->name),
                     "servers", servers);
}

json_t *verb_status(void *owner, const json_t *request)
{
    const struct controlled *c = owner;
    const struct settings *policy = snapshots_newest(c->snapshots);
    uint64_t up_ms = control_now_ms() - c->started_ms;
    json_t *upstreams = json_array();
    (void)request;
    for (size_t i = 0; i < c->settings->upstream_count; i++)
        json_array_append_new(upstreams,
                              upstream_of(c, &c->settings->upstreams[i]));
    json_t *reply = json_pack(
        "{s:b, s:I, s:I, s:I, s:o, s:s, s:I, s:I, s:o}", "ok", 1, "pid",
        (json_int_t)c->supervisor, "process", (json_int_t)getpid(), "up_ms",
        (json_int_t)up_ms, "config", control_text(str_from(policy->path)),
        "policy", policy->policy_digest, "workers", (json_int_t)c->workers,
        "connections", (json_int_t)connection_counts_total(c->connections),
        "upstreams", upstreams);
    settings_unref(policy);
    return reply;
}
