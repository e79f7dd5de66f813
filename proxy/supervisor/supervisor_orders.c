/* The orders of the control socket. What a worker process knows or does is
 * asked of the one that serves, over a connection that it takes orders on. */
#include "proxy/supervisor/supervisor_internal.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/control/channel.h"
#include "proxy/control/control_client.h"

/* How long an order waits for a worker process that is on its way. */
#define CONNECT_MS 10000

/* --- on the supervisor's thread --- */

static bool is_served(const struct supervisor *s)
{
    return s->current != NULL && s->current->state == WORKER_SERVING;
}

static int connect_to_current(struct supervisor *s)
{
    int ends[2], connection = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    if (channel_send(s->current->orders, json_object(), &ends[1], 1) == 0)
        connection = ends[0];
    else
        close(ends[0]);
    close(ends[1]);
    if (connection >= 0)
        atomic_fetch_add(&s->under_way, 1);
    return connection;
}

/* While one process follows another an order waits for a moment. */
void supervisor_connect(struct supervisor *s)
{
    struct order **at = &s->connects;
    bool may_wait =
        s->phase == SUPERVISOR_STARTING || s->phase == SUPERVISOR_RUNNING;
    while (*at != NULL) {
        struct order *order = *at;
        if (!is_served(s) && may_wait && control_now_ms() < order->until_ms) {
            at = &order->next;
            continue;
        }
        *at = order->next;
        if (is_served(s))
            order->connection = connect_to_current(s);
        order_queue_finish(&s->orders, order, NULL);
    }
}

static void connect_order(struct supervisor *s, struct order *order)
{
    order->connection = -1;
    order->until_ms = control_now_ms() + CONNECT_MS;
    order->next = s->connects;
    s->connects = order;
    supervisor_connect(s);
}

static json_t *workers_of(const struct supervisor *s)
{
    json_t *list = json_array();
    uint64_t now_ms = control_now_ms();
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        const struct worker_handle *one = &s->workers[i];
        if (one->state == WORKER_NONE)
            continue;
        json_array_append_new(
            list, json_pack("{s:I, s:s, s:I}", "process", (json_int_t)one->pid,
                            "state", worker_state_name(one->state), "for_ms",
                            (json_int_t)(now_ms - one->since_ms)));
    }
    return list;
}

static void tell_state(struct supervisor *s, struct order *order)
{
    json_t *succession =
        json_pack("{s:i, s:s}", "generation", (int)s->generation, "state",
                  s->succession_state);
    if (s->succession_error[0] != '\0')
        json_object_set_new(succession, "error",
                            json_string(s->succession_error));
    order_queue_finish(
        &s->orders, order,
        json_pack("{s:I, s:I, s:s, s:s, s:o, s:o}", "pid", (json_int_t)s->pid,
                  "up_ms", (json_int_t)(control_now_ms() - s->started_ms),
                  "config", s->path, "version", POSTERN_VERSION, "processes",
                  workers_of(s), "succession", succession));
}

static void refuse(struct supervisor *s, struct order *order)
{
    order_queue_finish(
        &s->orders, order,
        control_refusal(s->phase == SUPERVISOR_RUNNING
                            ? "another worker process is on its way, ask "
                              "again when it serves"
                            : "the server is stopping"));
}

static void succeed_order(struct supervisor *s, struct order *order)
{
    if (s->coming == NULL && s->phase == SUPERVISOR_RUNNING && s->check == 0)
        supervisor_succeed(s, order->settings, order->bundle, order);
    else
        refuse(s, order);
}

static void renew_order(struct supervisor *s, struct order *order)
{
    if (s->renewal != NULL) {
        refuse(s, order);
        return;
    }
    s->renewal = order;
    supervisor_renew(s);
}

static void note_order(struct supervisor *s, struct order *order)
{
    if (s->current != NULL)
        (void)channel_send(s->current->channel,
                           json_pack("{s:s, s:s%}", "do", "note", "line",
                                     order->line.p, order->line.n),
                           NULL, 0);
    order_queue_finish(&s->orders, order, NULL);
}

static void wait_for_end(struct supervisor *s, struct order *order)
{
    order->next = s->farewells;
    s->farewells = order;
}

static void set_level(struct supervisor *s, struct order *order)
{
    s->level = order->is_debug ? "debug" : "info";
    server_log_set_debug(s->log, order->is_debug);
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state != WORKER_NONE)
            worker_handle_tell(&s->workers[i], s->level);
    order_queue_finish(&s->orders, order, json_pack("{s:b}", "ok", 1));
}

static bool is_too_early(const struct supervisor *s, const struct order *order)
{
    return s->phase == SUPERVISOR_STARTING &&
           (order->kind == ORDER_SUCCEED || order->kind == ORDER_UPGRADE);
}

void supervisor_obey(struct supervisor *s, struct order *order)
{
    if (is_too_early(s, order)) {
        order->next = s->early;
        s->early = order;
        return;
    }
    switch (order->kind) {
    case ORDER_SUCCEED:
        succeed_order(s, order);
        break;
    case ORDER_RENEW:
        renew_order(s, order);
        break;
    case ORDER_NOTE:
        note_order(s, order);
        break;
    case ORDER_UPGRADE:
        supervisor_upgrade(s, order);
        break;
    case ORDER_DRAIN:
        wait_for_end(s, order);
        supervisor_drain(s, order->within_ms);
        break;
    case ORDER_STOP:
        wait_for_end(s, order);
        supervisor_stop(s);
        break;
    case ORDER_REOPEN:
        supervisor_reopen_logs(s);
        order_queue_finish(&s->orders, order, json_pack("{s:b}", "ok", 1));
        break;
    case ORDER_LEVEL:
        set_level(s, order);
        break;
    case ORDER_CONNECT:
        connect_order(s, order);
        break;
    case ORDER_STATE:
        tell_state(s, order);
        break;
    }
}

/* --- on the threads of the control socket --- */

static json_t *place(struct supervisor *s, struct order *order)
{
    if (order_queue_place(&s->orders, order))
        return order->reply;
    return control_refusal("the server has stopped");
}

/* Asks the worker process that serves. */
static json_t *relay(struct supervisor *s, const json_t *request)
{
    struct order order = {.kind = ORDER_CONNECT, .connection = -1};
    json_t *reply = NULL;
    (void)order_queue_place(&s->orders, &order);
    if (order.connection < 0)
        return control_refusal("no worker process serves at the moment: one "
                               "is on its way, or the server stops");
    reply = control_exchange(order.connection, request);
    close(order.connection);
    atomic_fetch_sub(&s->under_way, 1);
    return reply != NULL ? reply
                         : control_refusal("the worker process that was asked "
                                           "has ended: see the server log");
}

static json_t *verb_relayed(void *owner, const json_t *request)
{
    return relay(owner, request);
}

/* What the supervisor knows itself can be had also when nobody serves. */
static json_t *verb_whole_status(void *owner, const json_t *request)
{
    struct supervisor *s = owner;
    struct order order = {.kind = ORDER_STATE};
    json_t *reply = relay(s, request);
    json_t *state = place(s, &order);
    if (!json_is_true(json_object_get(reply, "ok"))) {
        json_t *fault = json_object_get(reply, "error");
        json_object_set(state, "fault", fault);
        json_object_set_new(state, "ok", json_true());
        json_decref(reply);
        return state;
    }
    json_object_update_missing(reply, state);
    json_decref(state);
    return reply;
}

static json_t *verb_stop(void *owner, const json_t *request)
{
    struct order order = {.kind = ORDER_STOP};
    (void)request;
    return place(owner, &order);
}

static json_t *verb_drain(void *owner, const json_t *request)
{
    json_int_t within_ms =
        json_integer_value(json_object_get(request, "within_ms"));
    struct order order = {.kind = ORDER_DRAIN,
                          .within_ms = within_ms > 0 ? (uint64_t)within_ms : 0};
    return place(owner, &order);
}

static json_t *verb_upgrade(void *owner, const json_t *request)
{
    struct order order = {.kind = ORDER_UPGRADE};
    (void)request;
    return place(owner, &order);
}

static json_t *verb_level(void *owner, const json_t *request)
{
    const char *level = json_string_value(json_object_get(request, "level"));
    struct order order = {.kind = ORDER_LEVEL};
    if (level != NULL && strcmp(level, "debug") == 0)
        order.is_debug = true;
    else if (level == NULL || strcmp(level, "info") != 0)
        return control_refusal("a level is debug or info");
    return place(owner, &order);
}

const struct control_verb supervisor_verbs[] = {
    {"status", verb_whole_status},
    {"reload", supervisor_verb_reload},
    {"list", verb_relayed},
    {"limits", verb_relayed},
    {"overview", verb_relayed},
    {"metrics", verb_relayed},
    {"stop", verb_stop},
    {"drain", verb_drain},
    {"upgrade", verb_upgrade},
    {"loglevel", verb_level},
    {NULL, NULL},
};
