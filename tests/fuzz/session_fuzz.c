/* Whole sessions: an input says what clients, upstreams and policy servers
 * say and do, and when; see session/markers.h. The real session, rules,
 * upstream and configuration run on the fake network of the dialogues. While
 * they do, a witness reads along and holds what is written against what is
 * promised; in the end nothing may be left. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/dialogue/alloc_fault.h"
#include "tests/dialogue/far_act.h"
#include "tests/dialogue/log_check.h"
#include "tests/fuzz/session/configurations.h"
#include "tests/fuzz/session/markers.h"
#include "tests/fuzz/session/witness.h"

#define CLIENTS_MAX 4
#define REPEATS_MAX 10 /* as a power of two */
#define SAID_MAX (32u * 1024)
#define SPLIT_PIECES 256
#define SLOW_OCTETS 100

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct play {
    struct world world;
    struct witness witness;
    unsigned flags;
    char side; /* of the one who speaks */
    size_t number;
    struct octets saying; /* not yet said */
    size_t said;
};

/* What libFuzzer calls has no owner to keep it. */
static struct configuration *configurations;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    configurations = configurations_new();
    return 0;
}

static void settle(struct play *p);

static struct far_end *speaker(const struct play *p)
{
    const struct loop *loop = &p->world.loop;
    size_t count = p->side == 'C' ? loop->clients : loop->upstreams;
    size_t number = p->number < count ? p->number : count;
    return far_end_find(loop, p->side, number);
}

/* An obliging upstream accepts, greets and shakes hands. */
static bool oblige(struct play *p, struct far_end *far)
{
    bool did = false;
    for (size_t i = 0; i < far->event_count; i++) {
        if (far->events[i].kind == FAR_SAW_CONNECT) {
            far->connect = FAR_ACCEPTS;
            witness_greet(&p->witness, far);
            did = true;
        } else if (far->events[i].kind == FAR_SAW_TLS) {
            did |= !far_act(far, STR("tls"), STR(""));
        }
    }
    return did;
}

/* Nobody here expects anything: the witness has seen it all. */
static bool forget_heard(struct play *p)
{
    bool did = false;
    for (struct far_end *f = p->world.loop.far_ends; f; f = f->next) {
        if (p->witness.obliges && f->side == 'U')
            did |= oblige(p, f);
        octets_drop(&f->heard, octets_length(&f->heard));
        f->event_count = 0;
    }
    return did;
}

static void settle(struct play *p)
{
    do {
        if (!world_settle(&p->world))
            witness_accuse(NULL, "the loop comes to rest", STR(""));
    } while (forget_heard(p));
}

static void say(struct play *p, struct far_end *far, struct str text)
{
    bool is_split = p->flags & FLAG_SPLIT;
    size_t piece = is_split ? 1 + text.n / SPLIT_PIECES : text.n;
    while (text.n) {
        far_end_say(far, str_head(text, piece));
        text = str_skip(text, piece);
        settle(p);
    }
}

static void flush(struct play *p, size_t times)
{
    struct far_end *far = speaker(p);
    struct str text = octets_view(&p->saying);
    if (far && far->side == 'U' && far->connect == FAR_WAITS && text.n) {
        far->connect = FAR_ACCEPTS;
        settle(p);
    }
    struct octets all = {0};
    for (size_t i = 0; far && i < times && p->said < SAID_MAX; i++) {
        octets_append(&all, text);
        p->said += text.n + 1;
    }
    if (far)
        say(p, far, octets_view(&all));
    octets_release(&all);
    octets_drop(&p->saying, text.n);
}

static void speak_as(struct play *p, char side, unsigned number)
{
    p->side = side;
    p->number = 1 + number % 8;
}

static void connect_client(struct play *p, unsigned octet)
{
    const struct settings *settings = p->world.scene->settings;
    size_t listener = LISTENER_OF(octet) % settings->listener_count;
    const char *address = marker_addresses[ADDRESS_OF(octet) % ADDRESS_COUNT];
    if (p->world.loop.clients >= CLIENTS_MAX || p->world.host.is_stopping)
        return;
    p->witness.listener = &settings->listeners[listener];
    world_connect(&p->world, str_from(address), 49152,
                  p->witness.listener->name);
    p->side = 'C';
    p->number = p->world.loop.clients;
}

static void act(struct play *p, unsigned octet)
{
    struct str name, rest;
    struct far_end *far = speaker(p);
    str_cut(str_from(marker_acts[octet % ACT_COUNT]), ' ', &name, &rest);
    if (far)
        (void)far_act(far, name, rest);
}

static void order(struct play *p, unsigned octet)
{
    struct world *world = &p->world;
    enum order order = octet % ORDER_COUNT;
    switch (order) {
    case ORDER_LOGINS_HOLD:
    case ORDER_LOGINS_ANSWER:
    case ORDER_LOGINS_UNAVAILABLE:
        world->logins.mode = order == ORDER_LOGINS_HOLD ? LOGINS_HOLD
                             : order == ORDER_LOGINS_ANSWER
                                 ? LOGINS_ANSWER
                                 : LOGINS_UNAVAILABLE;
        break;
    case ORDER_JOBS_HOLD:
    case ORDER_JOBS_RUN:
        world->loop.holds_jobs = order == ORDER_JOBS_HOLD;
        break;
    case ORDER_CROWD_ON:
    case ORDER_CROWD_OFF:
        world->is_crowded = order == ORDER_CROWD_ON;
        break;
    case ORDER_LOG_FAILING:
    case ORDER_LOG_WRITTEN:
        world->decisions.is_failing = order == ORDER_LOG_FAILING;
        break;
    case ORDER_RELOAD:
        (void)world_reload(world);
        break;
    case ORDER_STOP:
        world_stop(world);
        break;
    case ORDER_ABORT:
        world_abort(world);
        break;
    case ORDER_PROBE:
        world_probe(world);
        break;
    case ORDER_OBLIGE:
    case ORDER_OBLIGE_NOT:
        p->witness.obliges = order == ORDER_OBLIGE;
        break;
    case ORDER_COUNT:
        break;
    }
}

static void wait(struct play *p, unsigned octet)
{
    if (!world_advance(&p->world, marker_clock_ms[octet % CLOCK_COUNT]))
        witness_accuse(NULL, "the loop comes to rest", STR(""));
}

static void do_marker(struct play *p, enum marker marker, unsigned octet)
{
    flush(p, marker == MARKER_REPEAT ? 1u << octet % (REPEATS_MAX + 1) : 1);
    switch (marker) {
    case MARKER_CLIENT:
        speak_as(p, 'C', octet);
        break;
    case MARKER_UPSTREAM:
        speak_as(p, 'U', octet);
        break;
    case MARKER_CONNECT:
        connect_client(p, octet);
        break;
    case MARKER_ACT:
        act(p, octet);
        break;
    case MARKER_ORDER:
        order(p, octet);
        break;
    case MARKER_CLOCK:
        wait(p, octet);
        break;
    case MARKER_LITERAL:
    case MARKER_REPEAT:
        break;
    }
    settle(p);
}

static void play(struct play *p, struct str input)
{
    while (input.n) {
        unsigned octet = (uint8_t)input.p[0];
        bool is_marker = octet >= MARKER_LITERAL && input.n > 1;
        struct str text = str_head(str_skip(input, is_marker), 1);
        input = str_skip(input, 1u + is_marker);
        if (!is_marker || octet == MARKER_LITERAL)
            octets_append(&p->saying, text);
        else
            do_marker(p, (enum marker)octet, (uint8_t)text.p[0]);
    }
    flush(p, 1);
    settle(p);
}

static void judge(struct play *p)
{
    p->witness.obliges = false;
    if (!world_wait_for_ever(&p->world))
        witness_accuse(NULL, "no session waits for ever", STR(""));
    witness_end(&p->witness);
    const char *wrong = p->witness.is_told ? log_check_form(&p->world)
                                           : log_check_all(&p->world);
    if (wrong) {
        log_check_print(&p->world);
        witness_accuse(NULL, wrong, STR(""));
    }
    const char *left = world_close(&p->world);
    if (left)
        witness_accuse(NULL, "nothing is left", str_from(left));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct configuration *c =
        &configurations[data[0] % configuration_count()];
    struct play p = {.flags = data[1],
                     .side = 'C',
                     .number = 1,
                     .witness = {.script = &c->script,
                                 .needs_tls = c->needs_tls,
                                 .obliges = data[1] & FLAG_OBLIGES,
                                 .offers_all = data[1] & FLAG_OFFERS}};
    world_open(&p.world, &c->scene, p.flags & FLAG_LATE);
    witness_open(&p.witness);
    p.world.loop.tap = &p.witness.tap;
    p.world.loop.octets_a_turn = p.flags & FLAG_SLOW ? SLOW_OCTETS : 0;
    play(&p, str_span((const char *)data + 2, size - 2));
    judge(&p);
    alloc_fault_forget();
    octets_release(&p.saying);
    witness_close(&p.witness);
    return 0;
}
