#include "proxy/ask/policy_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char text[POLICY_REQUEST_MAX + 1];

static const char *write_request(const struct policy_request *request)
{
    size_t n = policy_request_write(request, text, POLICY_REQUEST_MAX);
    assert_true(n > 0);
    text[n] = '\0';
    assert_int_equal(strlen(text), n);
    return text;
}

static void assert_says(const char *written, const char *line)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    assert_non_null(strstr(written, wanted));
}

static const struct policy_request FULL = {
    .protocol_state = "RCPT",
    .is_extended = true,
    .helo_name = STR_INIT("laptop"),
    .sender = STR_INIT("bob@example.com"),
    .recipient = STR_INIT("ann@example.net"),
    .recipient_count = 3,
    .client_address = STR_INIT("2001:db8::7"),
    .client_port = 49152,
    .instance = STR_INIT("7QK3M9T2XA01"),
    .sasl_method = STR_INIT("PLAIN"),
    .sasl_username = STR_INIT("bob"),
    .size = 20480,
    .encryption_protocol = STR_INIT("1.3"),
    .encryption_cipher = STR_INIT("TLS_AES_256_GCM_SHA384"),
    .server_address = STR_INIT("192.0.2.25"),
    .server_port = 587,
    .policy_context = STR_INIT("submission"),
};

static void every_value_has_its_line(void **state)
{
    static const char *const lines[] = {
        "protocol_state=RCPT",
        "protocol_name=ESMTP",
        "helo_name=laptop",
        "queue_id=",
        "sender=bob@example.com",
        "recipient=ann@example.net",
        "recipient_count=3",
        "client_address=2001:db8::7",
        "client_name=unknown",
        "client_port=49152",
        "instance=7QK3M9T2XA01",
        "sasl_method=PLAIN",
        "sasl_username=bob",
        "size=20480",
        "encryption_protocol=TLSv1.3",
        "encryption_cipher=TLS_AES_256_GCM_SHA384",
        "encryption_keysize=256",
        "server_address=192.0.2.25",
        "server_port=587",
        "policy_context=submission",
    };
    (void)state;
    const char *written = write_request(&FULL);
    assert_int_equal(strncmp(written, "request=smtpd_access_policy\n", 28), 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_says(written, lines[i]);
    assert_string_equal(written + strlen(written) - 2, "\n\n");
    assert_ptr_equal(strstr(written, "\n\n"), written + strlen(written) - 2);
}

static void what_is_not_known_is_empty(void **state)
{
    struct policy_request request = {.protocol_state = "MAIL"};
    (void)state;
    const char *written = write_request(&request);
    assert_says(written, "protocol_name=SMTP");
    assert_says(written, "sasl_username=");
    assert_says(written, "encryption_protocol=");
    assert_says(written, "encryption_keysize=");
}

/* Or a stranger could add lines of its own. */
static void no_value_ends_its_line(void **state)
{
    struct policy_request request = FULL;
    (void)state;
    request.helo_name = STR("x\nsasl_username=ceo\r\n\n");
    request.sender = (struct str){"a\0b", 3};
    const char *written = write_request(&request);
    assert_says(written, "helo_name=x?sasl_username=ceo???");
    assert_says(written, "sender=a?b");
    assert_null(strstr(written, "\nsasl_username=ceo"));
}

static void a_value_that_is_too_long_is_cut(void **state)
{
    static char name[5000];
    struct policy_request request = FULL;
    (void)state;
    memset(name, 'x', sizeof name);
    request.helo_name = str_span(name, sizeof name);
    assert_true(strlen(write_request(&request)) < 2500);
}

static void without_room_there_is_no_request(void **state)
{
    char small[100];
    (void)state;
    assert_int_equal(policy_request_write(&FULL, small, sizeof small), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_its_line),
        cmocka_unit_test(what_is_not_known_is_empty),
        cmocka_unit_test(no_value_ends_its_line),
        cmocka_unit_test(a_value_that_is_too_long_is_cut),
        cmocka_unit_test(without_room_there_is_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
