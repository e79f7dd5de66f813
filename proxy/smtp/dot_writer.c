#include "proxy/smtp/dot_writer.h"

#include "proxy/smtp/line_scan.h"

#include <assert.h>
#include <string.h>

void dot_writer_init(struct dot_writer *writer)
{
    *writer = (struct dot_writer){.is_line_start = true};
}

/* How many octets go out as they lie: text and whole CRLFs, up to a dot at
 * the start of a line or an octet that must be looked at on its own. */
static size_t run_length(struct dot_writer *writer, struct str text)
{
    struct line_scan scan = {0};
    if (writer->is_line_start && text.p[0] == '.')
        return 0;
    size_t n = line_scan(&scan, text, true);
    if (n > 0)
        writer->is_line_start = scan.line_octets == 0;
    return n;
}

/* One octet that run_length() stopped at, into `to`. Returns the octets
 * written; 0 when it must not go out or there is no room for its dots. */
static size_t write_octet(struct dot_writer *writer, char c, char *to,
                          size_t room)
{
    if (writer->is_line_start && c == '.') {
        if (room < 2)
            return 0;
        writer->is_line_start = false;
        memcpy(to, "..", 2);
        return 2;
    }
    bool had_cr = writer->has_cr;
    writer->has_cr = c == '\r' && !had_cr;
    if (had_cr != (c == '\n') || c == '\0') {
        writer->is_broken = true;
        return 0;
    }
    writer->is_line_start = c == '\n';
    to[0] = c;
    return 1;
}

int dot_writer_write(struct dot_writer *writer, struct str *bytes, char *to,
                     size_t room, size_t *written)
{
    assert(!writer->is_finished);
    *written = 0;
    while (bytes->n > 0 && *written < room && !writer->is_broken) {
        size_t left = room - *written;
        size_t n = 0;
        if (!writer->has_cr)
            n = run_length(writer, str_head(*bytes, left));
        if (n > 0) {
            memcpy(to + *written, bytes->p, n);
            *bytes = str_skip(*bytes, n);
            *written += n;
            continue;
        }
        n = write_octet(writer, bytes->p[0], to + *written, left);
        if (n == 0)
            break;
        *bytes = str_skip(*bytes, 1);
        *written += n;
    }
    return writer->is_broken ? -1 : 0;
}

int dot_writer_finish(struct dot_writer *writer, char *to, size_t room,
                      size_t *written)
{
    struct str end = STR("\r\n.\r\n");
    assert(!writer->is_finished && room >= end.n);
    *written = 0;
    if (writer->is_broken || writer->has_cr) {
        writer->is_broken = true;
        return -1;
    }
    if (writer->is_line_start)
        end = str_skip(end, 2);
    memcpy(to, end.p, end.n);
    *written = end.n;
    writer->is_finished = true;
    return 0;
}
