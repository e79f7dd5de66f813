#include "scripted_peer.h"

#include "delivery_driver.h"

#include <setjmp.h>

#include <cmocka.h>

/* What a probe of some peers brings. */
struct probe {
    struct driver d; /* for its settings */
    struct loop *loop;
    struct upstreams *upstreams;
    struct capabilities before, after;
    int probed;
    int wanted; /* probes, one behind the other */
};

static void on_closed(void *owner)
{
    struct probe *probe = owner;
    upstreams_free(probe->upstreams);
    probe->upstreams = NULL;
}

static void on_probed(void *owner)
{
    struct probe *probe = owner;
    if (++probe->probed < probe->wanted) {
        upstreams_probe(probe->upstreams, 10000, on_probed, probe);
        return;
    }
    upstreams_capabilities(probe->upstreams, &probe->d.upstream, &probe->after);
    upstreams_close(probe->upstreams, on_closed, probe);
}

static void run_probe(struct probe *probe, uint64_t wait_ms)
{
    alarm(60);
    probe->loop = loop_new();
    probe->upstreams =
        upstreams_new(probe->loop, &probe->d.settings, &NO_MEANS, NULL, NULL);
    upstreams_capabilities(probe->upstreams, &probe->d.upstream,
                           &probe->before);
    upstreams_probe(probe->upstreams, wait_ms, on_probed, probe);
    assert_int_equal(probe->probed, 0);
    loop_run(probe->loop);
    assert_null(probe->upstreams);
    loop_free(probe->loop);
    alarm(0);
    assert_int_equal(probe->probed, probe->wanted);
}

static struct probe *new_probe(void)
{
    struct probe *probe = calloc(1, sizeof(*probe));
    driver_settings(&probe->d);
    probe->wanted = 1;
    return probe;
}

static const char *const able[] = {"accept",
                                   "> 220 mta",
                                   "< EHLO proxy.example",
                                   ">+ 250-mta",
                                   ">+ 250-8BITMIME",
                                   ">+ 250-SIZE 2000",
                                   "> 250 SMTPUTF8",
                                   "< QUIT",
                                   "> 221 bye",
                                   "ended",
                                   NULL};
static const char *const poor[] = {
    "accept",     "> 220 mta",       "< EHLO proxy.example",
    ">+ 250-mta", "> 250 SIZE 1000", "< QUIT",
    "> 221 bye",  "ended",           NULL};
static const char *const broken[] = {"accept", "> 554 no", "ended", NULL};
static const char *const silent[] = {"accept", "ended", NULL};

static void a_probe_tells_what_all_servers_offer(void **state)
{
    (void)state;
    struct probe *probe = new_probe();
    struct scripted_peer *a = peer_start(able), *b = peer_start(poor);
    driver_server(&probe->d, a->port);
    driver_server(&probe->d, b->port);
    run_probe(probe, 10000);
    peer_join(a);
    peer_join(b);
    assert_string_equal(a->error, "");
    assert_string_equal(b->error, "");
    assert_true(probe->before.has_8bitmime);
    assert_false(probe->before.has_smtputf8);
    assert_false(probe->after.has_8bitmime);
    assert_false(probe->after.has_smtputf8);
    assert_true(probe->after.has_size);
    assert_int_equal(probe->after.size, 1000);
    peer_free(a);
    peer_free(b);
    free(probe);
}

static void a_server_that_is_down_does_not_count(void **state)
{
    (void)state;
    struct probe *probe = new_probe();
    struct scripted_peer *a = peer_start(able), *b = peer_start(broken);
    driver_server(&probe->d, a->port);
    driver_server(&probe->d, b->port);
    run_probe(probe, 10000);
    peer_join(a);
    peer_join(b);
    assert_string_equal(b->error, "");
    assert_true(probe->after.has_8bitmime);
    assert_true(probe->after.has_smtputf8);
    assert_int_equal(probe->after.size, 2000);
    peer_free(a);
    peer_free(b);
    free(probe);
}

static void a_server_that_goes_down_counts_no_longer(void **state)
{
    (void)state;
    static const char *const stays[] = {
        "accept", "> 220 mta", "< EHLO", ">+ 250-mta", "> 250 8BITMIME",
        "accept", "> 220 mta", "< EHLO", ">+ 250-mta", "> 250 8BITMIME",
        "< QUIT", "> 221 bye", "ended",  NULL};
    static const char *const goes[] = {"accept",    "> 220 mta", "< EHLO",
                                       "> 250 mta", "accept",    "> 554 no",
                                       "ended",     NULL};
    struct probe *probe = new_probe();
    struct scripted_peer *a = peer_start(stays), *b = peer_start(goes);
    driver_server(&probe->d, a->port);
    driver_server(&probe->d, b->port);
    probe->wanted = 2;
    run_probe(probe, 10000);
    peer_join(a);
    peer_join(b);
    assert_string_equal(a->error, "");
    assert_string_equal(b->error, "");
    assert_true(probe->after.has_8bitmime);
    peer_free(a);
    peer_free(b);
    free(probe);
}

static void a_silent_server_is_not_waited_for(void **state)
{
    (void)state;
    struct probe *probe = new_probe();
    struct scripted_peer *a = peer_start(silent);
    driver_server(&probe->d, a->port);
    run_probe(probe, 50);
    peer_join(a);
    assert_string_equal(a->error, "");
    /* Never known: what is done without it. */
    assert_memory_equal(&probe->before, &probe->after, sizeof(probe->after));
    peer_free(a);
    free(probe);
}

static void a_maildir_needs_no_probe(void **state)
{
    (void)state;
    char root[] = "upstreams-test-XXXXXX";
    char maildir[64];
    assert_non_null(mkdtemp(root));
    snprintf(maildir, sizeof(maildir), "%s", root);
    struct probe *probe = new_probe();
    probe->d.upstream.maildir = maildir;
    run_probe(probe, 10000);
    assert_true(probe->after.has_8bitmime);
    assert_int_equal(probe->after.size, 0);
    assert_true(probe->after.has_smtputf8);
    static const char *const folders[] = {"/tmp", "/new", "/cur", ""};
    for (size_t i = 0; i < 4; i++) {
        snprintf(maildir, sizeof(maildir), "%s%s", root, folders[i]);
        assert_int_equal(rmdir(maildir), 0);
    }
    free(probe);
}

/* Two deliveries to a pool of one connection; the first never ends by
 * itself. */
struct crowd {
    struct driver d;
    struct delivery *first, *second;
    int code;
    char text[128];
};

static void on_first_rcpt(void *owner, size_t index,
                          const struct outcome *outcome)
{
    (void)owner;
    (void)index;
    (void)outcome;
}

static void on_crowd_closed(void *owner)
{
    struct crowd *crowd = owner;
    upstreams_free(crowd->d.upstreams);
}

static void on_second_rcpt(void *owner, size_t index,
                           const struct outcome *outcome)
{
    struct crowd *crowd = owner;
    (void)index;
    crowd->code = outcome->reply.code;
    snprintf(crowd->text, sizeof(crowd->text), "%.*s",
             (int)outcome->reply.enhanced.n, outcome->reply.enhanced.p);
    delivery_free(crowd->second);
    delivery_free(crowd->first);
    upstreams_close(crowd->d.upstreams, on_crowd_closed, crowd);
}

static void who_waits_too_long_for_a_connection_gets_a_451(void **state)
{
    (void)state;
    static const char *const steps[] = {
        "accept",   "> 220 mta", "< EHLO",    ">+ 250-mta", "> 250 PIPELINING",
        "< MAIL",   "< RCPT",    "< RSET",    ">+ 250 Ok",  ">+ 250 Ok",
        "> 250 Ok", "< QUIT",    "> 221 bye", "ended",      NULL};
    static const struct delivery_events first = {.on_rcpt = on_first_rcpt};
    static const struct delivery_events second = {.on_rcpt = on_second_rcpt};
    static const struct envelope envelope = {.reverse_path = STR_INIT("")};
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    struct driver *d = &crowd->d;
    struct scripted_peer *peer = peer_start(steps);
    driver_settings(d);
    driver_server(d, peer->port);
    d->upstream.pool_max = 1;
    d->upstream.pool_wait_ms = 100;
    alarm(60);
    d->loop = loop_new();
    d->upstreams = upstreams_new(d->loop, &d->settings, &NO_MEANS, NULL, NULL);
    crowd->first =
        delivery_new(d->upstreams, &d->upstream, &envelope, &first, crowd);
    crowd->second =
        delivery_new(d->upstreams, &d->upstream, &envelope, &second, crowd);
    assert_int_equal(delivery_rcpt(crowd->first, STR("a@b.c"), &usual), 0);
    assert_int_equal(delivery_rcpt(crowd->second, STR("a@b.c"), &usual), 0);
    loop_run(d->loop);
    loop_free(d->loop);
    peer_join(peer);
    assert_string_equal(peer->error, "");
    assert_int_equal(crowd->code, 451);
    assert_string_equal(crowd->text, "4.4.5");
    peer_free(peer);
    free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_tells_what_all_servers_offer),
        cmocka_unit_test(a_server_that_is_down_does_not_count),
        cmocka_unit_test(a_server_that_goes_down_counts_no_longer),
        cmocka_unit_test(a_silent_server_is_not_waited_for),
        cmocka_unit_test(a_maildir_needs_no_probe),
        cmocka_unit_test(who_waits_too_long_for_a_connection_gets_a_451),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
