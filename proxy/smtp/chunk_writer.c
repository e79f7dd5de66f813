#include "proxy/smtp/chunk_writer.h"

#include "proxy/smtp/line_scan.h"

#include <stdio.h>

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
    int n = snprintf(to, CHUNK_COMMAND_MAX, "BDAT %zu%s\r\n", octets,
                     is_last ? " LAST" : "");
    return str_span(to, (size_t)n);
}
