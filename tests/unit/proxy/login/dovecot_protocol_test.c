#include "proxy/login/dovecot_protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HELLO "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t7\nCUID\t1\n"
#define SHAKEN HELLO "COOKIE\tabcdef\nDONE\n"

/* What a server said, told in a line: "open ok:1 fail:2 bad". */
struct case_of_talk {
    const char *said;
    const char *want;
};

static const struct case_of_talk CASES[] = {
    {"", ""},
    {HELLO, ""},
    {SHAKEN, "open"},
    {SHAKEN "OK\t1\tuser=bob\n", "open ok:1"},
    {SHAKEN "OK\t1\tuser=bob", "open"},
    {SHAKEN "FAIL\t4294967295\nOK\t2\tuser=x\nCONT\t3\te30=\n",
     "open fail:4294967295 ok:2 cont:3"},
    {SHAKEN "OK\t1\n", "open ok:1"},
    /* What later versions may add. */
    {SHAKEN "NEWS\t1\n\nOK\t1\n", "open ok:1"},
    {"VERSION\t1\t99\tx\nNEWS\tx\n\nDONE\tx\n", "open"},
    {"VERSION\t1\nDONE\n", "open"},
    /* Not this protocol. */
    {"VERSION\t2\t0\n", "bad"},
    {"VERSION\t11\t0\n", "bad"},
    {"VERSION\n", "bad"},
    {"\n", "bad"},
    {"DONE\n", "bad"},
    {"MECH\tPLAIN\nVERSION\t1\t2\n", "bad"},
    {"220 mx.example.com ESMTP Postfix\r\n", "bad"},
    {SHAKEN "OK\n", "open bad"},
    {SHAKEN "OK\t\tuser=bob\n", "open bad"},
    {SHAKEN "OK\t-1\tuser=bob\n", "open bad"},
    {SHAKEN "OK\t4294967296\n", "open bad"},
    {SHAKEN "FAIL\tuser=bob\n", "open bad"},
    {SHAKEN "CONT\t1x\t\nOK\t1\n", "open bad"},
};

static void tell(char *told, size_t room, enum dovecot_next next, uint32_t id)
{
    static const char *const words[] = {
        [DOVECOT_OPEN] = "open", [DOVECOT_OK] = "ok",   [DOVECOT_FAIL] = "fail",
        [DOVECOT_CONT] = "cont", [DOVECOT_BAD] = "bad",
    };
    size_t n = strlen(told);
    bool has_id = next != DOVECOT_OPEN && next != DOVECOT_BAD;
    if (has_id)
        snprintf(told + n, room - n, "%s%s:%u", n > 0 ? " " : "", words[next],
                 id);
    else
        snprintf(told + n, room - n, "%s%s", n > 0 ? " " : "", words[next]);
}

/* Reads all that is there; false after BAD. */
static bool read_some(struct dovecot_reader *reader, struct str *input,
                      char *told, size_t room)
{
    struct dovecot_answer answer = {0};
    enum dovecot_next next;
    while ((next = dovecot_reader_next(reader, input, &answer)) !=
           DOVECOT_MORE) {
        tell(told, room, next, answer.id);
        if (next == DOVECOT_BAD) {
            assert_non_null(reader->wrong);
            return false;
        }
    }
    return true;
}

static void check(const struct case_of_talk *c, size_t step)
{
    char told[200] = "";
    struct dovecot_reader reader;
    size_t length = strlen(c->said), used = 0;
    dovecot_reader_init(&reader);
    for (size_t seen = 0; seen < length;) {
        seen = step < length - seen ? seen + step : length;
        struct str input = str_span(c->said + used, seen - used);
        bool goes_on = read_some(&reader, &input, told, sizeof told);
        used = seen - input.n;
        if (!goes_on)
            break;
    }
    assert_string_equal(told, c->want);
}

static void lines_become_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        check(&CASES[i], SIZE_MAX);
        check(&CASES[i], 1);
        check(&CASES[i], 7);
    }
}

static void nothing_is_read_behind_what_is_bad(void **state)
{
    struct dovecot_reader reader;
    struct dovecot_answer answer;
    struct str input = STR("QUIT\n" SHAKEN);
    (void)state;
    dovecot_reader_init(&reader);
    assert_int_equal(dovecot_reader_next(&reader, &input, &answer),
                     DOVECOT_BAD);
    assert_int_equal(dovecot_reader_next(&reader, &input, &answer),
                     DOVECOT_BAD);
}

static void its_mechanisms_are_known(void **state)
{
    struct dovecot_reader reader;
    struct dovecot_answer answer;
    struct str input = STR("VERSION\t1\t2\nMECH\tPLAINER\nMECH\tLOGIN\n"
                           "MECH\tOAuthBearer\tforward-secrecy\nDONE\n");
    (void)state;
    dovecot_reader_init(&reader);
    assert_int_equal(dovecot_reader_next(&reader, &input, &answer),
                     DOVECOT_OPEN);
    assert_true(reader.has[DOVECOT_OAUTHBEARER]);
    assert_false(reader.has[DOVECOT_XOAUTH2]);
    assert_false(reader.has[DOVECOT_PLAIN]);
}

static void a_handshake_has_a_most(void **state)
{
    struct dovecot_reader reader;
    struct dovecot_answer answer;
    struct str input = STR("VERSION\t1\t2\n");
    enum dovecot_next next = DOVECOT_MORE;
    size_t lines = 0;
    (void)state;
    dovecot_reader_init(&reader);
    for (; next == DOVECOT_MORE; lines++) {
        next = dovecot_reader_next(&reader, &input, &answer);
        input = STR("MECH\tX\n");
    }
    assert_int_equal(next, DOVECOT_BAD);
    assert_int_equal(lines, DOVECOT_HANDSHAKE_MAX + 2);
}

static void a_line_has_a_longest_length(void **state)
{
    static char octets[2 * DOVECOT_LINE_MAX];
    struct dovecot_answer answer;
    (void)state;
    memset(octets, 'x', sizeof octets);
    memcpy(octets, "OK\t1\t", 5);
    octets[DOVECOT_LINE_MAX - 1] = '\n';
    struct dovecot_reader reader = {.state = DOVECOT_AT_ANSWERS};
    struct str input = str_span(octets, sizeof octets);
    assert_int_equal(dovecot_reader_next(&reader, &input, &answer), DOVECOT_OK);
    assert_int_equal(input.n, DOVECOT_LINE_MAX);

    octets[DOVECOT_LINE_MAX - 1] = 'x';
    octets[DOVECOT_LINE_MAX] = '\n';
    input = str_span(octets, DOVECOT_LINE_MAX - 1);
    assert_int_equal(dovecot_reader_next(&reader, &input, &answer),
                     DOVECOT_MORE);
    input = str_span(octets, DOVECOT_LINE_MAX);
    assert_int_equal(dovecot_reader_next(&reader, &input, &answer),
                     DOVECOT_BAD);
}

struct case_of_field {
    const char *fields, *name;
    const char *want; /* NULL: there is none */
    size_t want_length;
};

static const struct case_of_field FIELDS[] = {
    {"user=bob\ttemp", "user", "bob", 3},
    {"user=bob\ttemp", "temp", "", 0},
    {"user=bob\ttemp", "tem", NULL, 0},
    {"user=bob\ttemp", "temper", NULL, 0},
    {"superuser=x\tuser=bob", "user", "bob", 3},
    {"user=a=b", "user", "a=b", 3},
    {"user=a\tuser=b", "user", "a", 1},
    {"user=", "user", "", 0},
    {"", "user", NULL, 0},
    {"\t\tuser=x", "user", "x", 1},
    /* Escapes. */
    {"user=a\001tb\001n\001r\0011\001x\001\001", "user", "a\tb\n\r\001x\001",
     8},
    {"user=a\0010b", "user", "a\0b", 3},
    {"user=a\001", "user", "a\001", 2},
    {"reason=x\001tuser=eve\tuser=bob", "user", "bob", 3},
};

static void fields_are_found_and_unescaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        const struct case_of_field *c = &FIELDS[i];
        struct dovecot_answer answer = {.fields = str_from(c->fields)};
        struct arena arena;
        struct str value = {NULL, 0};
        arena_init(&arena, 4096);
        bool is_there = dovecot_answer_field(&answer, c->name, &arena, &value);
        assert_int_equal(is_there, c->want != NULL);
        if (c->want != NULL)
            assert_true(str_equals(value, str_span(c->want, c->want_length)));
        arena_release(&arena);
    }
}

static void a_full_arena_is_told_of(void **state)
{
    struct dovecot_answer answer = {.fields = STR("user=bob")};
    struct arena arena;
    struct str value = STR("x");
    (void)state;
    arena_init(&arena, 0);
    assert_true(dovecot_answer_field(&answer, "user", &arena, &value));
    assert_null(value.p);
    arena_release(&arena);
}

static const struct dovecot_request FULL = {
    .id = 4294967295,
    .mechanism = DOVECOT_PLAIN,
    .session = STR_INIT("7QK3M9T2XA"),
    .local_ip = STR_INIT("192.0.2.25"),
    .remote_ip = STR_INIT("2001:db8::7"),
    .local_port = 587,
    .remote_port = 49152,
    .response = {"\0bob\0sesame", 11},
};

static void a_request_says_all_of_it(void **state)
{
    char to[1000];
    size_t n = dovecot_write_request(&FULL, to, sizeof to);
    (void)state;
    assert_true(str_equals(
        str_span(to, n),
        STR("AUTH\t4294967295\tPLAIN\tservice=smtp\tsecured\tlip=192.0.2.25\t"
            "rip=2001:db8::7\tlport=587\trport=49152\tsession=7QK3M9T2XA\t"
            "nologin\tresp=AGJvYgBzZXNhbWU=\n")));
}

static void what_is_not_known_is_left_out(void **state)
{
    char to[1000];
    struct dovecot_request request = {.id = 1, .mechanism = DOVECOT_XOAUTH2};
    size_t n = dovecot_write_request(&request, to, sizeof to);
    (void)state;
    assert_true(str_equals(str_span(to, n),
                           STR("AUTH\t1\tXOAUTH2\tservice=smtp\tsecured\t"
                               "nologin\tresp=\n")));
}

/* Or a stranger could add fields, or lines, of its own. */
static void no_value_ends_its_field(void **state)
{
    char to[1000];
    struct dovecot_request request = FULL;
    (void)state;
    request.id = 1;
    request.session = (struct str){"a\tmaster=x\nAUTH\r\001t\0z", 20};
    size_t n = dovecot_write_request(&request, to, sizeof to);
    to[n] = '\0';
    assert_non_null(strstr(to, "\tsession=a\001tmaster=x\001nAUTH\001r\0011t"
                               "\0010z\tnologin\t"));
    assert_ptr_equal(strchr(to, '\n'), to + n - 1);
}

static void without_room_there_is_no_request(void **state)
{
    static char to[2 * DOVECOT_LINE_MAX];
    static char secret[DOVECOT_LINE_MAX];
    struct dovecot_request request = FULL;
    (void)state;
    size_t length = dovecot_write_request(&FULL, to, sizeof to);
    for (size_t room = 0; room < length; room++) {
        memset(to, '?', sizeof to);
        assert_int_equal(dovecot_write_request(&FULL, to, room), 0);
        assert_int_equal(to[room], '?');
        assert_null(memmem(to, sizeof to, "AGJv", 4));
    }
    /* The server cuts off who sends a longer line, and all others with it. */
    memset(secret, 's', sizeof secret);
    request.response = str_span(secret, 12000);
    length = dovecot_write_request(&request, to, sizeof to);
    assert_in_range(length, 16000, DOVECOT_LINE_MAX);
    request.response = str_span(secret, 12288);
    assert_int_equal(dovecot_write_request(&request, to, sizeof to), 0);
}

static void the_other_lines_are_short(void **state)
{
    char to[64];
    (void)state;
    size_t n = dovecot_write_hello(1073741824, to, sizeof to);
    assert_true(
        str_equals(str_span(to, n), STR("VERSION\t1\t1\nCPID\t1073741824\n")));
    n = dovecot_write_last_response(17, to, sizeof to);
    assert_true(str_equals(str_span(to, n), STR("CONT\t17\tAQ==\n")));
    n = dovecot_write_cancel(17, to, sizeof to);
    assert_true(str_equals(str_span(to, n), STR("CANCEL\t17\n")));
    assert_int_equal(dovecot_write_cancel(17, to, 9), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_answers),
        cmocka_unit_test(nothing_is_read_behind_what_is_bad),
        cmocka_unit_test(its_mechanisms_are_known),
        cmocka_unit_test(a_handshake_has_a_most),
        cmocka_unit_test(a_line_has_a_longest_length),
        cmocka_unit_test(fields_are_found_and_unescaped),
        cmocka_unit_test(a_full_arena_is_told_of),
        cmocka_unit_test(a_request_says_all_of_it),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(no_value_ends_its_field),
        cmocka_unit_test(without_room_there_is_no_request),
        cmocka_unit_test(the_other_lines_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
