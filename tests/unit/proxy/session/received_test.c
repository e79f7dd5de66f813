#include "proxy/session/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/session/transaction.h"

/* A session as far as the trace field looks at it. */
struct scene {
    struct settings settings;
    struct session_host host;
    struct session session;
    struct transaction transaction;
};

struct case_of_field {
    const char *verb, *tls, *user, *client;
    bool hides_client, hides_user, is_utf8;
    const char *want;     /* is in it */
    const char *want_not; /* is not; NULL: nothing */
};

static const struct case_of_field PLAIN = {
    .verb = "EHLO", .tls = "1.3", .user = "bob", .client = "192.0.2.1"};

static void open_scene(struct scene *scene, const struct case_of_field *c)
{
    struct session *s = &scene->session;
    *scene = (struct scene){
        .settings = {.hostname = STR("mail.example.com"),
                     .received = {c->hides_client, c->hides_user}},
        .host = {.loop = loop_new(), .settings = &scene->settings},
        .session = {.host = &scene->host,
                    .transaction = &scene->transaction,
                    .user = str_from(c->user)},
        .transaction = {.session = s,
                        .settings = &scene->settings,
                        .id = "7QK3M9T2XA01"},
    };
    assert_non_null(scene->host.loop);
    assert_int_equal(ip_parse(str_from(c->client), &s->client_ip), 0);
    arena_init(&scene->transaction.arena, 64 * 1024);
    facts_init(&s->facts);
    facts_set_text(&s->facts, FACT_CLIENT_IP, str_from(c->client));
    facts_set_text(&s->facts, FACT_HELO_NAME, STR("laptop"));
    facts_set_text(&s->facts, FACT_HELO_VERB, str_from(c->verb));
    facts_set_text(&s->facts, FACT_MAIL_SMTPUTF8,
                   c->is_utf8 ? STR("true") : STR("false"));
    if (c->tls == NULL)
        return;
    facts_set_text(&s->facts, FACT_TLS_VERSION, str_from(c->tls));
    facts_set_text(&s->facts, FACT_TLS_CIPHER, STR("TLS_AES_128_GCM_SHA256"));
}

static void close_scene(struct scene *scene)
{
    arena_release(&scene->transaction.arena);
    loop_free(scene->host.loop);
}

static void the_field_says_how_the_message_came(void **state)
{
    static const struct case_of_field cases[] = {
        {"HELO", NULL, "", "192.0.2.1", .want = "with SMTP id 7QK3M9T2XA01;"},
        {"EHLO", NULL, "", "192.0.2.1", .want = "with ESMTP id"},
        {"EHLO", "1.3", "", "192.0.2.1", .want = "with ESMTPS id"},
        {"EHLO", "1.3", "bob", "192.0.2.1", .want = "with ESMTPSA id"},
        {"EHLO", NULL, "bob", "192.0.2.1", .want = "with ESMTPA id"},
        {"EHLO", "1.3", "bob", "192.0.2.1", .is_utf8 = true,
         .want = "with UTF8SMTPSA id"},
        {"EHLO", NULL, "", "192.0.2.1", .is_utf8 = true,
         .want = "with UTF8SMTP id"},
        {"EHLO", "1.3", "bob", "192.0.2.1",
         .want = "\r\n\ttls TLS_AES_128_GCM_SHA256 (version 1.3)"},
        {"EHLO", NULL, "", "192.0.2.1", .want = "by mail.example.com",
         .want_not = "\ttls"},
        {"EHLO", NULL, "", "192.0.2.1",
         .want = "Received: from laptop ([192.0.2.1])\r\n\tby "},
        {"EHLO", NULL, "", "2001:db8::1",
         .want = "from laptop ([IPv6:2001:db8::1])"},
        {"EHLO", "1.3", "bob", "192.0.2.1", .hides_client = true,
         .want = "Received: by mail.example.com", .want_not = "192.0.2.1"},
        {"EHLO", "1.3", "bob", "192.0.2.1", .hides_user = true,
         .want = "ESMTPSA", .want_not = "bob"},
        {"EHLO", "1.3", "bob", "192.0.2.1", .want = "(login bob)"},
        /* What would end the comment, or a line, is left out whole. */
        {"EHLO", "1.3", "bob)x", "192.0.2.1", .want = "ESMTPSA",
         .want_not = "login"},
        {"EHLO", "1.3", "b\\b", "192.0.2.1", .want = "ESMTPSA",
         .want_not = "login"},
        {"EHLO", "1.3", "b\xc3\xb6", "192.0.2.1", .want = "ESMTPSA",
         .want_not = "login"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        open_scene(&scene, &cases[i]);
        struct str field = received_field(&scene.session);
        assert_non_null(field.p); /* terminated: it comes of a printf */
        assert_non_null(strstr(field.p, cases[i].want));
        if (cases[i].want_not != NULL)
            assert_null(strstr(field.p, cases[i].want_not));
        close_scene(&scene);
    }
}

/* RFC 5322 2.1.1 and 2.2.3: CRLF alone, and only before white space or at
 * the end; lines of at most 998 octets. */
static void every_line_of_the_field_is_folded_well(void **state)
{
    struct scene scene;
    size_t line = 0;
    (void)state;
    open_scene(&scene, &PLAIN);
    struct str field = received_field(&scene.session);
    assert_true(field.n > 2);
    for (size_t i = 0; i < field.n; i++, line++) {
        assert_int_equal(field.p[i] == '\r',
                         i + 1 < field.n && field.p[i + 1] == '\n');
        if (field.p[i] != '\n')
            continue;
        assert_true(i + 1 == field.n || field.p[i + 1] == '\t');
        assert_true(line < 998);
        line = 0;
    }
    assert_int_equal(field.p[field.n - 1], '\n');
    close_scene(&scene);
}

static void the_date_is_that_of_rfc_5322(void **state)
{
    struct scene scene;
    char day[4], month[4], zone[8];
    int number, year, hour, minute, second;
    (void)state;
    open_scene(&scene, &PLAIN);
    const char *date = strstr(received_field(&scene.session).p, ";\r\n\t");
    assert_non_null(date);
    assert_int_equal(sscanf(date + 4, "%3s, %2d %3s %4d %2d:%2d:%2d %7s", day,
                            &number, month, &year, &hour, &minute, &second,
                            zone),
                     8);
    assert_string_equal(zone, "+0000");
    assert_true(year >= 2024 && number >= 1 && number <= 31);
    close_scene(&scene);
}

static void without_memory_there_is_no_field(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene, &PLAIN);
    arena_init(&scene.transaction.arena, 1);
    assert_null(received_field(&scene.session).p);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_field_says_how_the_message_came),
        cmocka_unit_test(every_line_of_the_field_is_folded_well),
        cmocka_unit_test(the_date_is_that_of_rfc_5322),
        cmocka_unit_test(without_memory_there_is_no_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
