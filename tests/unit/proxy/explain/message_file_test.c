/* A file as a message: line ends are made CRLF and counted as a session
 * counts them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/explain/message_file.h"

static const struct caps_settings CAPS = {.header_bytes = 1000,
                                          .header_fields = 5};

struct message_case {
    const char *name, *text;
    uint64_t want_bytes, want_lines, want_longest;
    size_t want_fields;
    const char *want_error; /* NULL: none */
};

static void write_file(char path[32], const char *text)
{
    snprintf(path, 32, "/tmp/message-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void lines_are_counted_as_sent(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"CRLF", "A: b\r\n\r\nhi\r\n", 12, 3, 4, 1, NULL},
        {"LF alone", "A: b\n\nhi\n", 12, 3, 4, 1, NULL},
        {"CR alone", "A: b\r\rhi\r", 12, 3, 4, 1, NULL},
        {"no last line end", "A: b\n\nhi", 12, 3, 4, 1, NULL},
        {"a header alone", "A: b\nC: d\n", 12, 2, 4, 2, NULL},
        {"a folded field", "A: b\n c\n\nx\n", 15, 4, 4, 1, NULL},
        {"nothing", "", 0, 0, 0, 0, NULL},
        {"a body without a header", "no field here\n", 15, 1, 13, 0, NULL},
        {"too many fields", "A: b\nA: b\nA: b\nA: b\nA: b\nA: b\n\n", 0, 0, 0,
         0, "it has more fields than caps.header_fields"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct message_case *c = &cases[i];
        char path[32], error[256] = "";
        struct message_file message;
        struct header_fields fields;
        struct arena arena;
        arena_init(&arena, 65536);
        header_fields_init(&fields, &arena);
        write_file(path, c->text);
        int rc = message_file_read(&message, path, &CAPS, error, sizeof error);
        unlink(path);
        if (c->want_error != NULL) {
            assert_int_equal(rc, -1);
            assert_non_null(strstr(error, c->want_error));
        } else {
            if (rc != 0)
                fail_msg("%s: %s", c->name, error);
            assert_int_equal(header_reader_fields(&message.header, &fields), 0);
            if (message.bytes != c->want_bytes ||
                message.lines != c->want_lines ||
                message.longest_line != c->want_longest ||
                fields.count != c->want_fields)
                fail_msg("%s: %llu octets, %llu lines, longest %llu, %zu "
                         "fields",
                         c->name, (unsigned long long)message.bytes,
                         (unsigned long long)message.lines,
                         (unsigned long long)message.longest_line,
                         fields.count);
        }
        message_file_release(&message);
        arena_release(&arena);
    }
}

static void a_file_that_is_not_there_is_said(void **state)
{
    (void)state;
    struct message_file message;
    char error[256];
    assert_int_equal(message_file_read(&message, "/nonexistent/m", &CAPS, error,
                                       sizeof error),
                     -1);
    assert_string_equal(error, "the message /nonexistent/m can't be used: No "
                               "such file or directory");
    message_file_release(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_counted_as_sent),
        cmocka_unit_test(a_file_that_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
