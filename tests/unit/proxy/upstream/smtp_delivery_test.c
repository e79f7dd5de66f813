#include "scripted_peer.h"

#include "delivery_driver.h"

#include <setjmp.h>

#include <cmocka.h>

#define GREETING                                                               \
    "accept", "> 220 mta", "< EHLO proxy.example", ">+ 250-mta",               \
        ">+ 250-PIPELINING", ">+ 250-SIZE 1000000", ">+ 250-8BITMIME",         \
        "> 250 ENHANCEDSTATUSCODES"
#define MAIL "< MAIL FROM:<bob@example.com>"
#define FAREWELL "< QUIT", "> 221 bye", "ended", NULL

#define MESSAGE "Subject: hi\r\n\r\n.dots\r\n"
#define MESSAGE_SENT "Subject: hi\r\n\r\n..dots\r\n"

static struct driver *new_driver(void)
{
    struct driver *d = calloc(1, sizeof(*d));
    driver_settings(d);
    return d;
}

static struct scripted_peer *run_against(struct driver *d,
                                         const char *const *steps)
{
    struct scripted_peer *peer = peer_start(steps);
    driver_server(d, peer->port);
    driver_run(d);
    peer_join(peer);
    assert_string_equal(peer->error, "");
    return peer;
}

static void end(struct driver *d, struct scripted_peer *peer)
{
    peer_free(peer);
    free(d);
}

static void a_message_arrives_with_its_dots(void **state)
{
    (void)state;
    static const char *const steps[] = {GREETING,
                                        MAIL,
                                        "< RCPT TO:<r0@example.net>",
                                        "> 250 2.1.0 Ok",
                                        "> 250 2.1.5 Fine",
                                        "< DATA",
                                        "> 354 go",
                                        "message",
                                        "> 250 2.0.0 Ok: queued as 4XyZ",
                                        FAREWELL};
    struct driver *d = new_driver();
    d->message = MESSAGE;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 250);
    assert_int_equal(d->results[0].end, 250);
    assert_true(d->results[0].is_upstreams);
    assert_string_equal(d->results[0].text, "2.0.0 Ok: queued as 4XyZ");
    assert_string_equal(d->results[0].server, d->texts[0]);
    assert_int_equal(peer->message_length, strlen(MESSAGE_SENT));
    assert_memory_equal(peer->message, MESSAGE_SENT, strlen(MESSAGE_SENT));
    end(d, peer);
}

/* The upstream answers nothing before it has read all five commands. */
static void recipients_are_written_while_no_answer_has_come(void **state)
{
    (void)state;
    static const char *const steps[] = {GREETING,
                                        MAIL,
                                        "< RCPT TO:<r0@",
                                        "< RCPT TO:<r1@",
                                        "< RCPT TO:<r2@",
                                        "< RCPT TO:<r3@",
                                        "> 250 2.1.0 Ok",
                                        "> 250 2.1.5 Ok",
                                        "> 550 5.1.1 No such user",
                                        ">+ 452 4.2.2 Full",
                                        "> 251 2.1.5 Elsewhere",
                                        "< DATA",
                                        "> 354 go",
                                        "message",
                                        "> 250 2.0.0 Ok",
                                        FAREWELL};
    struct driver *d = new_driver();
    d->rcpts = 4;
    d->message = MESSAGE;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 250);
    assert_int_equal(d->results[0].rcpt[1], 550);
    assert_int_equal(d->results[0].rcpt[2], 452);
    assert_int_equal(d->results[0].rcpt[3], 251);
    assert_int_equal(d->results[0].end, 250);
    end(d, peer);
}

static void without_pipelining_commands_go_one_at_a_time(void **state)
{
    (void)state;
    static const char *const steps[] = {
        "accept", "> 220 mta", "< EHLO",         "> 250 mta",
        MAIL,     "quiet",     "> 250 Ok",       "< RCPT TO:<r0@",
        "quiet",  "> 250 Ok",  "< RCPT TO:<r1@", "> 550 no",
        "< RSET", "> 250 Ok",  FAREWELL};
    struct driver *d = new_driver();
    d->rcpts = 2;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 250);
    assert_int_equal(d->results[0].rcpt[1], 550);
    end(d, peer);
}

static void size_and_body_go_where_they_are_offered(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING,
        "< MAIL FROM:<bob@example.com> SIZE=4711 BODY=8BITMIME",
        "< RCPT",
        "> 552 5.3.4 Too big",
        "> 503 5.5.1 MAIL first",
        "< RSET",
        "> 250 Ok",
        FAREWELL};
    struct driver *d = new_driver();
    d->params = (struct mail_params){
        .has_size = true,
        .size = 4711,
        .body = BODY_8BITMIME,
        .extensions = 1U << EXTENSION_8BITMIME,
    };
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 552);
    end(d, peer);
}

static void eight_bit_mail_is_refused_where_the_upstream_lacks_it(void **state)
{
    (void)state;
    static const char *const steps[] = {"accept", "> 220 mta", "< EHLO",
                                        "> 250 mta", FAREWELL};
    struct driver *d = new_driver();
    d->rcpts = 2;
    d->params = (struct mail_params){
        .body = BODY_8BITMIME,
        .extensions = 1U << EXTENSION_8BITMIME,
    };
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 554);
    assert_int_equal(d->results[0].rcpt[1], 554);
    assert_false(d->results[0].is_upstreams);
    end(d, peer);
}

static void a_refused_mail_answers_every_recipient(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING, MAIL, "< RCPT", "< RCPT", "> 550 5.7.1 Not you",
        ">+ 503 5.5.1 MAIL first", "> 503 5.5.1 MAIL first", "< RSET",
        "> 250 Ok",
        /* The connection is in step, and serves the next one. */
        MAIL, "< RCPT", "< RCPT", ">+ 250 Ok", ">+ 250 2.1.5 a",
        "> 250 2.1.5 b", "< RSET", "> 250 Ok", FAREWELL};
    struct driver *d = new_driver();
    d->rcpts = 2;
    d->transactions = 2;
    d->upstream.pool_max = 1; /* the second waits for the RSET */
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt_count, 2);
    assert_int_equal(d->results[0].rcpt[0], 550);
    assert_int_equal(d->results[0].rcpt[1], 550);
    assert_string_equal(d->results[0].text, "5.7.1 Not you");
    assert_int_equal(d->results[1].rcpt[1], 250);
    assert_string_equal(d->results[1].text, "2.1.5 b");
    end(d, peer);
}

static void a_refused_data_is_the_answer_and_spares_the_connection(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING,   MAIL,     "< RCPT",         "> 250 Ok",
        "> 250 Ok", "< DATA", "> 554 5.5.1 No", "< RSET",
        "> 250 Ok", FAREWELL};
    struct driver *d = new_driver();
    d->message = MESSAGE;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 554);
    assert_true(d->results[0].is_upstreams);
    end(d, peer);
}

static char *big_message(size_t lines)
{
    static const char line[] = "0123456789012345678901234567890123456789\r\n";
    char *text = malloc(lines * (sizeof(line) - 1) + 1);
    for (size_t i = 0; i < lines; i++)
        memcpy(text + i * (sizeof(line) - 1), line, sizeof(line));
    return text;
}

static void a_big_message_passes_in_steps(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING, MAIL,       "< RCPT",  "> 250 Ok",       "> 250 Ok",
        "< DATA", "> 354 go", "message", "> 250 2.0.0 Ok", FAREWELL};
    struct driver *d = new_driver();
    char *message = big_message(200000);
    d->message = message;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 250);
    assert_true(d->results[0].rooms > 0);
    assert_true(d->largest_take <= 256 * 1024);
    assert_int_equal(peer->message_length, d->message_length);
    assert_memory_equal(peer->message, message, d->message_length);
    free(message);
    end(d, peer);
}

static void a_death_in_the_body_is_a_451(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING, MAIL,       "< RCPT",    "> 250 Ok", "> 250 Ok",
        "< DATA", "> 354 go", "read 1000", "cut",      NULL};
    struct driver *d = new_driver();
    char *message = big_message(1000);
    d->message = message;
    d->never_finishes = true;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 451);
    assert_false(d->results[0].is_upstreams);
    assert_false(d->results[0].is_uncertain);
    free(message);
    end(d, peer);
}

static void a_death_behind_the_final_dot_is_uncertain(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING, MAIL,       "< RCPT",  "> 250 Ok", "> 250 Ok",
        "< DATA", "> 354 go", "message", "cut",      NULL};
    struct driver *d = new_driver();
    d->message = MESSAGE;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 451);
    assert_true(d->results[0].is_uncertain);
    assert_non_null(strstr(d->results[0].fault, "the end of data"));
    end(d, peer);
}

static void an_early_refusal_in_the_body_is_the_answer(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING,   MAIL,        "< RCPT",
        "> 250 Ok", "> 250 Ok",  "< DATA",
        "> 354 go", "read 1000", "> 552 5.3.4 Too much",
        "drained",  NULL};
    struct driver *d = new_driver();
    char *message = big_message(1000);
    d->message = message;
    d->never_finishes = true;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 552);
    assert_string_equal(d->results[0].text, "5.3.4 Too much");
    free(message);
    end(d, peer);
}

static void an_early_acceptance_is_no_acceptance(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING,         MAIL,      "< RCPT",   "> 250 Ok",
        "> 250 Ok",       "< DATA",  "> 354 go", "read 1000",
        "> 250 2.0.0 Ok", "drained", NULL};
    struct driver *d = new_driver();
    char *message = big_message(1000);
    d->message = message;
    d->never_finishes = true;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 451);
    assert_false(d->results[0].is_upstreams);
    assert_int_equal(d->results[0].original, 250);
    free(message);
    end(d, peer);
}

static void a_421_in_the_body_is_a_451_with_its_text(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING,           MAIL,      "< RCPT",   "> 250 Ok",
        "> 250 Ok",         "< DATA",  "> 354 go", "read 1000",
        "> 421 4.3.2 Down", "drained", NULL};
    struct driver *d = new_driver();
    char *message = big_message(1000);
    d->message = message;
    d->never_finishes = true;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 451);
    assert_int_equal(d->results[0].original, 421);
    assert_string_equal(d->results[0].text, "4.3.2 Down");
    free(message);
    end(d, peer);
}

static void a_421_between_recipients_answers_the_rest_too(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING,   MAIL,       "< RCPT",           "< RCPT", "< RCPT",
        "> 250 Ok", "> 250 Ok", "> 421 4.3.2 Down", "ended",  NULL};
    struct driver *d = new_driver();
    d->rcpts = 3;
    d->message = MESSAGE;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 250);
    assert_int_equal(d->results[0].rcpt[1], 451);
    assert_int_equal(d->results[0].rcpt[2], 451);
    assert_int_equal(d->results[0].end, 451);
    end(d, peer);
}

static void a_client_that_vanishes_in_the_body_leaves_no_dot(void **state)
{
    (void)state;
    static const char *const steps[] = {GREETING,   MAIL,       "< RCPT",
                                        "> 250 Ok", "> 250 Ok", "< DATA",
                                        "> 354 go", "drained",  NULL};
    struct driver *d = new_driver();
    char *message = big_message(10000);
    d->message = message;
    d->vanishes_at = 200 * 1024; /* more than is kept before 354 */
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 0);
    free(message);
    end(d, peer);
}

static void a_pooled_connection_serves_the_next_transaction(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING,         MAIL,     "< RCPT",   "> 250 Ok",
        "> 250 Ok",       "< DATA", "> 354 go", "message",
        "> 250 2.0.0 Ok", MAIL,     "< RCPT",   "> 250 Ok",
        "> 250 Ok",       "< DATA", "> 354 go", "message",
        "> 250 2.0.0 Ok", FAREWELL};
    struct driver *d = new_driver();
    d->message = MESSAGE;
    d->transactions = 2;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[1].end, 250);
    end(d, peer);
}

static void a_connection_retires_after_its_transactions(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING, MAIL,       "< RCPT", "> 550 no",  "> 503 MAIL first",
        "< RSET", "> 250 Ok", "< QUIT", "> 221 bye", "ended",
        GREETING, MAIL,       "< RCPT", "> 550 no",  "> 503 MAIL first",
        "< RSET", "> 250 Ok", FAREWELL};
    struct driver *d = new_driver();
    d->upstream.pool_transactions = 1;
    d->transactions = 2;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[1].rcpt[0], 550);
    end(d, peer);
}

static void a_stale_connection_is_replaced_silently(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING, MAIL, "< RCPT", "> 250 Ok", "> 250 Ok", "< DATA", "> 354 go",
        "message", "> 250 2.0.0 Ok",
        /* Gone stale in the pool. */
        MAIL, "< RCPT", "> 421 4.4.2 Idle too long", "ended", GREETING, MAIL,
        "< RCPT", "> 250 Ok", "> 250 Ok", "< DATA", "> 354 go", "message",
        "> 250 2.0.0 Ok",
        /* And dead without a word. */
        MAIL, "< RCPT", "cut", GREETING, MAIL, "< RCPT", "> 250 Ok",
        "> 250 2.1.5 third", "< DATA", "> 354 go", "message", "> 250 2.0.0 Ok",
        FAREWELL};
    struct driver *d = new_driver();
    d->message = MESSAGE;
    d->transactions = 3;
    struct scripted_peer *peer = run_against(d, steps);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(d->results[i].rcpt[0], 250);
        assert_int_equal(d->results[i].end, 250);
    }
    end(d, peer);
}

static void a_421_on_a_new_connection_is_told(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING, MAIL, "< RCPT", "> 421 4.7.0 Too fast", "ended", NULL};
    struct driver *d = new_driver();
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 451);
    assert_int_equal(d->results[0].original, 421);
    assert_string_equal(d->results[0].text, "4.7.0 Too fast");
    end(d, peer);
}

static void the_next_server_is_asked_when_the_first_fails(void **state)
{
    (void)state;
    static const struct {
        const char *steps[8];
    } failures[] = {
        {{"accept", "close", NULL}},
        {{"accept", "> 554 5.3.2 Not today", "ended", NULL}},
        {{"accept", "> 220 mta", "< EHLO", "> 421 4.3.2 Busy", "ended", NULL}},
        {{"accept", "> 220 mta", "< EHLO", "> 250 mta", "< MAIL", "cut", NULL}},
        {{"accept", "> 2x0 mta", "ended", NULL}},
    };
    static const char *const second[] = {GREETING,   MAIL,       "< RCPT",
                                         "> 250 Ok", "> 250 Ok", "< RSET",
                                         "> 250 Ok", FAREWELL};
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        struct driver *d = new_driver();
        struct scripted_peer *first = peer_start(failures[i].steps);
        driver_server(d, first->port);
        struct scripted_peer *peer = run_against(d, second);
        peer_join(first);
        assert_string_equal(first->error, "");
        assert_int_equal(d->results[0].rcpt[0], 250);
        assert_string_equal(d->results[0].server, d->texts[1]);
        peer_free(first);
        end(d, peer);
    }
}

static void no_server_at_all_is_a_451(void **state)
{
    (void)state;
    static const char *const steps[] = {NULL};
    struct driver *d = new_driver();
    struct scripted_peer *peer = peer_start(steps);
    peer_join(peer);
    driver_server(d, peer->port);
    d->rcpts = 2;
    driver_run(d);
    assert_int_equal(d->results[0].rcpt_count, 2);
    assert_int_equal(d->results[0].rcpt[0], 451);
    assert_int_equal(d->results[0].rcpt[1], 451);
    assert_false(d->results[0].is_upstreams);
    assert_int_equal(d->results[0].original, 0);
    assert_non_null(strstr(d->results[0].text, "4.4.1"));
    end(d, peer);
}

static void answers_nobody_asked_for_end_the_connection(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING, MAIL, "< RCPT", ">+ 250 Ok", ">+ 250 Ok", "> 450 4.2.0 stray",
        "ended",  NULL};
    struct driver *d = new_driver();
    d->message = MESSAGE;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 451);
    assert_false(d->results[0].is_upstreams);
    end(d, peer);
}

static void a_desynchronised_connection_is_not_used_again(void **state)
{
    (void)state;
    static const char *const steps[] = {GREETING,
                                        MAIL,
                                        "< RCPT",
                                        "> 250 Ok",
                                        "> 250 Ok",
                                        "< DATA",
                                        "> 354 go",
                                        "message",
                                        ">+ 250 2.0.0 Ok",
                                        "> 250 2.0.0 again",
                                        "ended",
                                        GREETING,
                                        MAIL,
                                        "< RCPT",
                                        "> 250 Ok",
                                        "> 550 5.1.1 no",
                                        "< RSET",
                                        "> 250 Ok",
                                        FAREWELL};
    struct driver *d = new_driver();
    d->message = MESSAGE;
    d->transactions = 2;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].end, 250);
    assert_int_equal(d->results[1].rcpt[0], 550);
    end(d, peer);
}

static void a_death_before_data_is_told_at_once(void **state)
{
    (void)state;
    static const char *const steps[] = {GREETING, MAIL,       "< RCPT",
                                        "< RCPT", "> 250 Ok", "> 250 Ok",
                                        "close",  NULL};
    struct driver *d = new_driver();
    d->rcpts = 2;
    d->message = MESSAGE;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 250);
    assert_int_equal(d->results[0].rcpt[1], 451);
    assert_int_equal(d->results[0].end, 451);
    assert_false(d->results[0].is_uncertain);
    end(d, peer);
}

static void helo_serves_where_ehlo_is_refused(void **state)
{
    (void)state;
    static const char *const steps[] = {"accept",
                                        "> 220 mta",
                                        "< EHLO proxy.example",
                                        "> 502 What",
                                        "< HELO proxy.example",
                                        "> 250 mta",
                                        MAIL,
                                        "> 250 Ok",
                                        "< RCPT",
                                        "> 250 Ok",
                                        "< RSET",
                                        "> 250 Ok",
                                        FAREWELL};
    struct driver *d = new_driver();
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 250);
    end(d, peer);
}

static void garbage_is_a_protocol_error(void **state)
{
    (void)state;
    static const char *const garbage[] = {"> 2x0 Ok", "> 000",    "> 999 x",
                                          "> 354 go", "> 220 hi", "> 25"};
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        const char *steps[] = {GREETING,   MAIL,    "< RCPT", "> 250 Ok",
                               garbage[i], "ended", NULL};
        struct driver *d = new_driver();
        struct scripted_peer *peer = run_against(d, steps);
        assert_int_equal(d->results[0].rcpt[0], 451);
        assert_false(d->results[0].is_upstreams);
        end(d, peer);
    }
}

static void starttls_that_is_not_offered_sends_nothing(void **state)
{
    (void)state;
    static const char *const steps[] = {"accept",    "> 220 mta", "< EHLO",
                                        "> 250 mta", "ended",     NULL};
    struct driver *d = new_driver();
    d->upstream.tls = UPSTREAM_STARTTLS;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 451);
    assert_non_null(strstr(d->results[0].fault, "STARTTLS is not offered"));
    end(d, peer);
}

static void answers_in_clear_text_behind_starttls_end_it(void **state)
{
    (void)state;
    static const char *const steps[] = {
        "accept",         "> 220 mta",  "< EHLO",       ">+ 250-mta",
        "> 250 STARTTLS", "< STARTTLS", ">+ 220 ready", "> 250-AUTH PLAIN",
        "ended",          NULL};
    struct driver *d = new_driver();
    d->upstream.tls = UPSTREAM_STARTTLS;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 451);
    assert_non_null(strstr(d->results[0].fault, "clear text"));
    end(d, peer);
}

static void silence_is_a_451_after_the_deadline(void **state)
{
    (void)state;
    static const char *const steps[] = {GREETING,   MAIL,    "< RCPT",
                                        "> 250 Ok", "ended", NULL};
    struct driver *d = new_driver();
    d->settings.timeouts.upstream_mail = 50;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt[0], 451);
    assert_non_null(strstr(d->results[0].fault, "timeouts.upstream_mail: "));
    end(d, peer);
}

static void a_delivery_may_be_freed_in_its_events(void **state)
{
    (void)state;
    static const char *const steps[] = {
        GREETING,   MAIL,      "< RCPT", "< RCPT",   ">+ 250 Ok",
        ">+ 250 a", "> 250 b", "< RSET", "> 250 Ok", FAREWELL};
    struct driver *d = new_driver();
    d->rcpts = 2;
    d->frees_in_rcpt = true;
    struct scripted_peer *peer = run_against(d, steps);
    assert_int_equal(d->results[0].rcpt_count, 1);
    end(d, peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_arrives_with_its_dots),
        cmocka_unit_test(recipients_are_written_while_no_answer_has_come),
        cmocka_unit_test(without_pipelining_commands_go_one_at_a_time),
        cmocka_unit_test(size_and_body_go_where_they_are_offered),
        cmocka_unit_test(eight_bit_mail_is_refused_where_the_upstream_lacks_it),
        cmocka_unit_test(a_refused_mail_answers_every_recipient),
        cmocka_unit_test(
            a_refused_data_is_the_answer_and_spares_the_connection),
        cmocka_unit_test(a_big_message_passes_in_steps),
        cmocka_unit_test(a_death_in_the_body_is_a_451),
        cmocka_unit_test(a_death_behind_the_final_dot_is_uncertain),
        cmocka_unit_test(an_early_refusal_in_the_body_is_the_answer),
        cmocka_unit_test(an_early_acceptance_is_no_acceptance),
        cmocka_unit_test(a_421_in_the_body_is_a_451_with_its_text),
        cmocka_unit_test(a_421_between_recipients_answers_the_rest_too),
        cmocka_unit_test(a_client_that_vanishes_in_the_body_leaves_no_dot),
        cmocka_unit_test(a_pooled_connection_serves_the_next_transaction),
        cmocka_unit_test(a_connection_retires_after_its_transactions),
        cmocka_unit_test(a_stale_connection_is_replaced_silently),
        cmocka_unit_test(a_421_on_a_new_connection_is_told),
        cmocka_unit_test(the_next_server_is_asked_when_the_first_fails),
        cmocka_unit_test(no_server_at_all_is_a_451),
        cmocka_unit_test(answers_nobody_asked_for_end_the_connection),
        cmocka_unit_test(a_desynchronised_connection_is_not_used_again),
        cmocka_unit_test(a_death_before_data_is_told_at_once),
        cmocka_unit_test(helo_serves_where_ehlo_is_refused),
        cmocka_unit_test(garbage_is_a_protocol_error),
        cmocka_unit_test(starttls_that_is_not_offered_sends_nothing),
        cmocka_unit_test(answers_in_clear_text_behind_starttls_end_it),
        cmocka_unit_test(silence_is_a_451_after_the_deadline),
        cmocka_unit_test(a_delivery_may_be_freed_in_its_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
