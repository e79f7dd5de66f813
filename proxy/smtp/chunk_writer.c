#include "proxy/smtp/chunk_writer.h"

#include "proxy/smtp/line_scan.h"

#include "rules/base/digits.h"
#include "rules/base/octet_writer.h"

void chunk_writer_init(struct chunk_writer *writer)
{
    *writer = (struct chunk_writer){0};
}

int chunk_writer_check(struct chunk_writer *writer, struct str octets)
{
    struct line_scan scan = {0};
    while (octets.n > 0 && !writer->is_broken) {
        size_t n = writer->has_cr ? 0 : line_scan(&scan, octets, false);
        octets = str_skip(octets, n);
        if (n > 0)
            writer->is_within_line = scan.line_octets > 0;
        if (octets.n == 0)
            break;
        char c = octets.p[0];
        if (writer->has_cr != (c == '\n') || c == '\0')
            writer->is_broken = true;
        writer->has_cr = c == '\r';
        writer->is_within_line = writer->has_cr;
        octets = str_skip(octets, 1);
    }
    return writer->is_broken ? -1 : 0;
}

int chunk_writer_finish(struct chunk_writer *writer, struct str *end)
{
    if (writer->has_cr)
        writer->is_broken = true;
    *end = writer->is_within_line ? STR("\r\n") : STR("");
    return writer->is_broken ? -1 : 0;
}

struct str chunk_command(char to[CHUNK_COMMAND_MAX], size_t octets,
                         bool is_last)
{
    char digits[DIGITS_MAX];
    struct octet_writer writer = {.to = to, .room = CHUNK_COMMAND_MAX};
    octet_writer_put(&writer, STR("BDAT "));
    octet_writer_put(&writer,
                     str_span(digits, digits_write(digits, octets, 1)));
    octet_writer_put(&writer, is_last ? STR(" LAST\r\n") : STR("\r\n"));
    return str_span(to, writer.used);
}
