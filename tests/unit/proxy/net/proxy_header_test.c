#include "proxy/net/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FROM_V4 "\xc0\0\x02\x01\xc0\0\x02\x02\xc0\0\0\x19"
#define FROM_V6                                                                \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"                               \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xc0\0\0\x19"

struct header_case {
    struct str header;
    const char *want; /* the client; "" none; NULL: it is bad */
    uint16_t port;
    const char *why;
};

static const struct header_case CASES[] = {
    {.header = STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 49152 25\r\n"),
     .want = "192.0.2.1",
     .port = 49152},
    {.header = STR_INIT("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n"),
     .want = "2001:db8::1"},
    {.header = STR_INIT("PROXY UNKNOWN\r\n"), .want = ""},
    {.header = STR_INIT("PROXY UNKNOWN 1 2 3 whatever\r\n"), .want = ""},
    {.header = STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"),
     .why = "does not end with CR LF"},
    {.header = STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"),
     .why = "can't be read"},
    {.header = STR_INIT("PROXY UNKNOWNS\r\n"), .why = "can't be read"},
    {.header = STR_INIT("PROXX"), .why = "no header"},
    {.header = STR_INIT("proxy TCP4"), .why = "no header"},
    {.header = STR_INIT("EHLO laptop\r\n"), .why = "no header"},
    {.header = STR_INIT("\x16\x03\x01"), .why = "no header"},
    {.header = STR_INIT(SIGNATURE "\x21\x11\0\x0c" FROM_V4),
     .want = "192.0.2.1",
     .port = 49152},
    {.header = STR_INIT(SIGNATURE "\x21\x21\0\x24" FROM_V6),
     .want = "2001:db8::1",
     .port = 49152},
    {.header = STR_INIT(SIGNATURE
                        "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02"
                        "\x07\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x08\0\x07"
                        "\0\x19"),
     .want = "192.0.2.7",
     .port = 7},
    {.header = STR_INIT(SIGNATURE "\x20\0\0\0"), .want = ""},
    {.header = STR_INIT(SIGNATURE "\x20\x11\0\x0c" FROM_V4), .want = ""},
    {.header = STR_INIT(SIGNATURE "\x20\xff\0\x02xx"), .want = ""},
    {.header = STR_INIT(SIGNATURE "\x21\0\0\0"), .want = ""},
    {.header = STR_INIT(SIGNATURE "\x21\x11\0\x10" FROM_V4 "\x04\0\x01x"),
     .want = "192.0.2.1",
     .port = 49152},
    {.header = STR_INIT(SIGNATURE "\x21\x11\0\x0b" FROM_V4),
     .why = "too short"},
    {.header = STR_INIT(SIGNATURE "\x21\x11\0\x0e" FROM_V4 "\x04\0"),
     .why = "cut off"},
    {.header = STR_INIT(SIGNATURE "\x21\x11\0\x10" FROM_V4 "\x04\0\x02x"),
     .why = "cut off"},
    {.header = STR_INIT(SIGNATURE "\x21\x11\xff\xff" FROM_V4),
     .why = "too long"},
    {.header = STR_INIT(SIGNATURE "\x20\0\xff\xff"), .why = "too long"},
    {.header = STR_INIT(SIGNATURE "\x21\x12\0\x0c" FROM_V4),
     .why = "kind of address"},
    {.header = STR_INIT(SIGNATURE "\x22\x11\0\x0c" FROM_V4),
     .why = "version or command"},
    {.header = STR_INIT(SIGNATURE "\x11\x11\0\x0c" FROM_V4),
     .why = "version or command"},
    {.header = STR_INIT(SIGNATURE "\x21\x11\0\x13" FROM_V4
                                  "\x03\0\x04\x12\x34\x56\x78"),
     .why = "checksum"},
    {.header = STR_INIT(SIGNATURE "\x21\x11\0\x10" FROM_V4 "\x03\0\x01x"),
     .why = "checksum"},
};

static void check(const struct header_case *c, struct str octets)
{
    struct arena arena;
    struct proxy_header header;
    const char *why;
    enum proxy_header_result got = proxy_header_read(octets, &header, &why);
    if (c->want == NULL) {
        assert_int_equal(got, PROXY_HEADER_BAD);
        assert_non_null(strstr(why, c->why));
        return;
    }
    assert_int_equal(got, PROXY_HEADER_READY);
    assert_int_equal(header.octets, c->header.n);
    assert_int_equal(header.has_client, c->want[0] != '\0');
    assert_int_equal(header.port, c->port);
    if (!header.has_client)
        return;
    arena_init(&arena, 4096);
    assert_true(str_equals(ip_text(&arena, &header.client), str_from(c->want)));
    arena_release(&arena);
}

static void wire_Y02_headers_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        print_message("case %zu\n", i);
        check(&CASES[i], CASES[i].header);
    }
}

static void what_follows_a_header_is_left(void **state)
{
    char octets[600];
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const struct header_case *c = &CASES[i];
        if (c->want == NULL)
            continue;
        memcpy(octets, c->header.p, c->header.n);
        memcpy(octets + c->header.n, "EHLO\r\n", 6);
        check(c, str_span(octets, c->header.n + 6));
    }
}

static void half_a_header_waits_for_the_other_half(void **state)
{
    struct proxy_header header;
    const char *why;
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (size_t n = 0; n < CASES[i].header.n; n++) {
            /* In a block of its own size, so that no octet more is read. */
            char *copy = malloc(n + 1);
            assert_non_null(copy);
            memcpy(copy, CASES[i].header.p, n);
            enum proxy_header_result got =
                proxy_header_read(str_span(copy, n), &header, &why);
            free(copy);
            if (CASES[i].want != NULL)
                assert_int_equal(got, PROXY_HEADER_MORE);
            else
                assert_int_not_equal(got, PROXY_HEADER_READY);
        }
}

static void wire_Y02_a_line_has_107_octets(void **state)
{
    char octets[120];
    struct proxy_header header;
    const char *why;
    (void)state;
    memset(octets, 'x', sizeof octets);
    memcpy(octets, "PROXY UNKNOWN ", 14);
    memcpy(octets + 105, "\r\n", 2);
    assert_int_equal(proxy_header_read(str_span(octets, 107), &header, &why),
                     PROXY_HEADER_READY);
    memcpy(octets + 105, "x\r\n", 3);
    assert_int_equal(proxy_header_read(str_span(octets, 106), &header, &why),
                     PROXY_HEADER_MORE);
    assert_int_equal(proxy_header_read(str_span(octets, 108), &header, &why),
                     PROXY_HEADER_BAD);
}

/* The checksum of RFC 3720's polynomial, as another implementation makes it. */
static void a_right_checksum_passes(void **state)
{
    static const struct str octets =
        STR_INIT(SIGNATURE "\x21\x11\0\x13" FROM_V4 "\x03\0\x04"
                           "\x0d\x53\x87\x60");
    struct proxy_header header;
    const char *why;
    (void)state;
    assert_int_equal(proxy_header_read(octets, &header, &why),
                     PROXY_HEADER_READY);
}

struct written_case {
    const char *client, *server; /* NULL: it speaks for itself */
    uint16_t port, server_port;
    struct str want;
};

#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"

static const struct written_case WRITTEN[] = {
    {"192.0.2.1", "192.0.2.2", 49152, 25,
     STR_INIT(SIGNATURE "\x21\x11\0\x0c" FROM_V4)},
    {"2001:db8::1", "2001:db8::2", 49152, 25,
     STR_INIT(SIGNATURE "\x21\x21\0\x24" FROM_V6)},
    {"192.0.2.1", "2001:db8::2", 1, 65535,
     STR_INIT(SIGNATURE "\x21\x21\0\x24" MAPPED "\xc0\0\x02\x01"
                        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
                        "\0\x01\xff\xff")},
    {"2001:db8::1", "192.0.2.2", 256, 255,
     STR_INIT(SIGNATURE "\x21\x21\0\x24"
                        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" MAPPED
                        "\xc0\0\x02\x02\x01\0\0\xff")},
    {NULL, NULL, 0, 0, STR_INIT(SIGNATURE "\x20\0\0\0")},
};

static void assert_read_back(const struct proxy_header *want, struct str octets)
{
    struct proxy_header got;
    const char *why;
    assert_int_equal(proxy_header_read(octets, &got, &why), PROXY_HEADER_READY);
    assert_int_equal(got.octets, octets.n);
    assert_int_equal(got.has_client, want->has_client);
    assert_true(ip_equals(&got.client, &want->client));
    assert_true(ip_equals(&got.server, &want->server));
    assert_int_equal(got.port, want->port);
    assert_int_equal(got.server_port, want->server_port);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof WRITTEN / sizeof *WRITTEN; i++) {
        const struct written_case *c = &WRITTEN[i];
        struct proxy_header header = {.has_client = c->client != NULL,
                                      .port = c->port,
                                      .server_port = c->server_port};
        char octets[PROXY_HEADER_WRITTEN_MAX];
        if (header.has_client) {
            assert_int_equal(ip_parse(str_from(c->client), &header.client), 0);
            assert_int_equal(ip_parse(str_from(c->server), &header.server), 0);
        }
        size_t n = proxy_header_write(&header, octets);
        assert_int_equal(n, c->want.n);
        assert_memory_equal(octets, c->want.p, n);
        assert_read_back(&header, str_span(octets, n));
    }
}

static void a_line_says_what_the_client_connected_to(void **state)
{
    struct proxy_header header;
    struct ip server;
    const char *why;
    (void)state;
    assert_int_equal(
        proxy_header_read(STR("PROXY TCP4 192.0.2.1 192.0.2.2 49152 25\r\n"),
                          &header, &why),
        PROXY_HEADER_READY);
    assert_int_equal(ip_parse(STR("192.0.2.2"), &server), 0);
    assert_true(ip_equals(&header.server, &server));
    assert_int_equal(header.server_port, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_Y02_headers_are_read_strictly),
        cmocka_unit_test(what_follows_a_header_is_left),
        cmocka_unit_test(half_a_header_waits_for_the_other_half),
        cmocka_unit_test(wire_Y02_a_line_has_107_octets),
        cmocka_unit_test(a_right_checksum_passes),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_line_says_what_the_client_connected_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
