/* A line that lies whole in the input is lent from there; only one that comes
 * in pieces is gathered. Lines may hold passwords, so memory is wiped before
 * it is given back. */
#include "proxy/smtp/line_reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void line_reader_init(struct line_reader *reader)
{
    *reader = (struct line_reader){.buffer = NULL};
}

static void drop_buffer(struct line_reader *reader)
{
    if (reader->buffer != NULL)
        explicit_bzero(reader->buffer, reader->capacity);
    free(reader->buffer);
    reader->buffer = NULL;
    reader->length = 0;
    reader->capacity = 0;
}

void line_reader_release(struct line_reader *reader)
{
    drop_buffer(reader);
    line_reader_init(reader);
}

void line_reader_forget(struct line_reader *reader)
{
    if (reader->length == 0)
        drop_buffer(reader);
}

bool line_reader_is_empty(const struct line_reader *reader)
{
    return reader->length == 0 && !reader->is_swallowing;
}

/* Not realloc(), which would leave a copy behind. */
static int reserve(struct line_reader *reader, size_t need)
{
    size_t wanted = reader->capacity == 0 ? FIRST_CAPACITY : reader->capacity;
    if (need <= reader->capacity)
        return 0;
    while (wanted < need)
        wanted *= 2;
    char *moved = malloc(wanted);
    if (moved == NULL)
        return -1;
    size_t length = reader->length;
    if (length > 0)
        memcpy(moved, reader->buffer, length);
    drop_buffer(reader);
    reader->buffer = moved;
    reader->length = length;
    reader->capacity = wanted;
    return 0;
}

static int gather(struct line_reader *reader, struct str piece)
{
    if (piece.n == 0)
        return 0;
    if (reserve(reader, reader->length + piece.n) < 0)
        return -1;
    memcpy(reader->buffer + reader->length, piece.p, piece.n);
    reader->length += piece.n;
    return 0;
}

/* Drops everything up to a CRLF; returns whether it came. */
static bool swallow(struct line_reader *reader, struct str *input)
{
    while (input->n > 0) {
        ptrdiff_t at = str_index(*input, '\n');
        size_t taken = at < 0 ? input->n : (size_t)at + 1;
        bool before = taken > 1 ? input->p[taken - 2] == '\r' : reader->has_cr;
        reader->has_cr = at < 0 && input->p[taken - 1] == '\r';
        *input = str_skip(*input, taken);
        if (at >= 0 && before) {
            reader->is_swallowing = false;
            return true;
        }
    }
    return false;
}

/* Goes on with the line under way; *taken counts the octets looked at, the
 * one that decided included. */
static enum line_next scan(struct line_reader *reader, struct str input,
                           size_t limit, size_t *taken)
{
    for (size_t i = 0; i < input.n; i++) {
        char c = input.p[i];
        bool had_cr = reader->has_cr;
        size_t octets = reader->length + i + 1;
        *taken = i + 1;
        reader->has_cr = c == '\r';
        if (had_cr != (c == '\n') || c == '\0')
            return LINE_BAD;
        if (octets > limit || (octets == limit && c != '\n'))
            return LINE_TOO_LONG;
        if (c == '\n')
            return LINE_READY;
    }
    *taken = input.n;
    return LINE_MORE;
}

static int lend(struct line_reader *reader, struct str piece, struct str *line)
{
    *line = piece;
    if (reader->length == 0)
        return 0;
    if (gather(reader, piece) < 0)
        return -1;
    *line = str_span(reader->buffer, reader->length);
    reader->length = 0; /* until the next call */
    return 0;
}

static enum line_next finish(struct line_reader *reader, struct str piece,
                             struct str *line)
{
    reader->has_cr = false;
    if (lend(reader, piece, line) < 0)
        return LINE_MEMORY;
    assert(line->n >= 2);
    line->n -= 2;
    return LINE_READY;
}

enum line_next line_reader_next(struct line_reader *reader, struct str *input,
                                size_t limit, struct str *line)
{
    line_reader_forget(reader);
    if (reader->is_swallowing && !swallow(reader, input))
        return LINE_MORE;
    size_t taken = 0;
    enum line_next next = scan(reader, *input, limit, &taken);
    struct str piece = str_head(*input, taken);
    *input = str_skip(*input, taken);
    if (next == LINE_READY)
        return finish(reader, piece, line);
    if (next == LINE_MORE)
        return gather(reader, piece) < 0 ? LINE_MEMORY : LINE_MORE;
    if (lend(reader, piece, line) < 0)
        return LINE_MEMORY;
    reader->is_swallowing = true;
    return next;
}
