#include "proxy/smtp/header_reader.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 2048
/* A colon further from the start of its line than a line may be long
 * (RFC 5322 2.1.1) ends no name that others would read. */
#define NAME_MAX_OCTETS 998

enum line_kind {
    LINE_FIELD,        /* a name, a colon */
    LINE_CONTINUATION, /* begins with white space */
    LINE_OTHER,        /* neither: body */
    LINE_UNDECIDED     /* a name so far */
};

void header_reader_init(struct header_reader *reader, size_t bytes_max,
                        size_t fields_max)
{
    *reader = (struct header_reader){
        .bytes_max = bytes_max,
        .fields_max = fields_max,
    };
}

void header_reader_release(struct header_reader *reader)
{
    free(reader->buffer);
    *reader = (struct header_reader){.buffer = NULL};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The octets of a field's name at the start of `line`; *colon is the index
 * behind the white space that RFC 5322 4.5 allows there. */
static size_t name_length(struct str line, size_t *colon)
{
    size_t n = 0;
    while (n < line.n && line.p[n] > ' ' && line.p[n] <= '~' &&
           line.p[n] != ':')
        n++;
    *colon = n;
    while (*colon < line.n && is_blank(line.p[*colon]))
        ++*colon;
    return n;
}

static enum line_kind classify(struct str line, bool is_first)
{
    size_t colon;
    /* A lone CR is the empty line without its LF so far. */
    if (line.n == 0 || str_equals(line, STR("\r")))
        return LINE_UNDECIDED;
    if (is_blank(line.p[0]))
        return is_first ? LINE_OTHER : LINE_CONTINUATION;
    size_t name = name_length(str_head(line, NAME_MAX_OCTETS), &colon);
    if (name == 0 || colon == NAME_MAX_OCTETS)
        return LINE_OTHER;
    if (colon == line.n)
        return LINE_UNDECIDED;
    return line.p[colon] == ':' ? LINE_FIELD : LINE_OTHER;
}

static int append(struct header_reader *reader, struct str piece)
{
    size_t wanted = reader->capacity == 0 ? FIRST_CAPACITY : reader->capacity;
    while (wanted < reader->length + piece.n)
        wanted *= 2;
    if (wanted > reader->capacity) {
        char *moved = realloc(reader->buffer, wanted);
        if (moved == NULL)
            return -1;
        reader->buffer = moved;
        reader->capacity = wanted;
    }
    memcpy(reader->buffer + reader->length, piece.p, piece.n);
    reader->length += piece.n;
    return 0;
}

static enum header_next end_block(struct header_reader *reader)
{
    reader->block_end = reader->line_start;
    reader->is_done = true;
    return HEADER_DONE;
}

static struct str line_under_way(const struct header_reader *reader)
{
    return str_span(reader->buffer + reader->line_start,
                    reader->length - reader->line_start);
}

/* A line with its CRLF is there. */
static enum header_next take_line(struct header_reader *reader)
{
    struct str line = line_under_way(reader);
    line.n -= 2;
    if (line.n == 0) {
        reader->length = reader->line_start;
        return end_block(reader);
    }
    switch (classify(line, reader->fields == 0)) {
    case LINE_FIELD:
        if (reader->fields == reader->fields_max)
            return HEADER_TOO_MANY;
        reader->fields++;
        break;
    case LINE_CONTINUATION:
        break;
    case LINE_OTHER:
    case LINE_UNDECIDED:
        return end_block(reader);
    }
    if (reader->length > reader->bytes_max)
        return HEADER_TOO_LARGE;
    reader->line_start = reader->length;
    return HEADER_MORE;
}

/* Part of a line is there. What cannot become a field is not waited for: a
 * message without a header may begin with a line longer than the cap. */
static enum header_next take_part(struct header_reader *reader)
{
    bool is_first = reader->fields == 0;
    if (classify(line_under_way(reader), is_first) == LINE_OTHER)
        return end_block(reader);
    return HEADER_MORE;
}

/* Up to the end of a line, as far as there is room; the two octets over the
 * cap are for the empty line. */
static struct str next_piece(const struct header_reader *reader,
                             struct str bytes)
{
    ptrdiff_t end = str_index(bytes, '\n');
    if (end >= 0)
        bytes = str_head(bytes, (size_t)end + 1);
    return str_head(bytes, reader->bytes_max + 2 - reader->length);
}

static bool has_whole_line(const struct header_reader *reader)
{
    struct str line = line_under_way(reader);
    return line.n >= 2 && memcmp(line.p + line.n - 2, "\r\n", 2) == 0;
}

enum header_next header_reader_feed(struct header_reader *reader,
                                    struct str *bytes)
{
    if (reader->is_done)
        return HEADER_DONE;
    while (bytes->n > 0) {
        struct str piece = next_piece(reader, *bytes);
        if (piece.n == 0)
            return HEADER_TOO_LARGE;
        if (append(reader, piece) < 0)
            return HEADER_MEMORY;
        *bytes = str_skip(*bytes, piece.n);
        enum header_next next =
            has_whole_line(reader) ? take_line(reader) : take_part(reader);
        if (next != HEADER_MORE)
            return next;
    }
    return HEADER_MORE;
}

enum header_next header_reader_end(struct header_reader *reader)
{
    struct str crlf = STR("\r\n");
    if (reader->is_done)
        return HEADER_DONE;
    if (reader->length == reader->line_start)
        return end_block(reader);
    enum line_kind kind = classify(line_under_way(reader), reader->fields == 0);
    if (kind == LINE_OTHER || kind == LINE_UNDECIDED)
        return end_block(reader);
    /* The last line of a block without body and without CRLF. */
    if (append(reader, crlf) < 0)
        return HEADER_MEMORY;
    enum header_next next = take_line(reader);
    return next == HEADER_MORE ? end_block(reader) : next;
}

struct str header_reader_overlap(const struct header_reader *reader)
{
    if (reader->buffer == NULL)
        return (struct str){NULL, 0};
    return str_span(reader->buffer + reader->block_end,
                    reader->length - reader->block_end);
}

/* The next line with its CRLF off *block. */
static struct str cut_line(struct str *block)
{
    size_t end = 0;
    do {
        ptrdiff_t lf = str_index(str_skip(*block, end), '\n');
        end = lf < 0 ? block->n : end + (size_t)lf + 1;
    } while (end < block->n && (end < 2 || block->p[end - 2] != '\r'));
    struct str line = str_head(*block, end);
    *block = str_skip(*block, end);
    return line;
}

/* A continuation of white space alone: some readers take it for the empty
 * line. It says nothing, so it is left out, and nobody can differ. */
static bool is_void(struct str line)
{
    return str_trim(str_head(line, line.n - 2)).n == 0;
}

/* Copies the lines that belong to one field off *block. */
static struct str cut_field(struct str *block, char *to)
{
    struct str field = {to, 0};
    do {
        struct str line = cut_line(block);
        if (is_void(line))
            continue;
        memcpy(to + field.n, line.p, line.n);
        field.n += line.n;
    } while (block->n > 0 && is_blank(block->p[0]));
    return field;
}

int header_reader_fields(const struct header_reader *reader,
                         struct header_fields *out)
{
    struct str block = str_span(reader->buffer, reader->block_end);
    char *to = arena_alloc(out->arena, block.n);
    if (to == NULL)
        return -1;
    while (block.n > 0) {
        size_t colon;
        struct str raw = cut_field(&block, to);
        size_t name = name_length(raw, &colon);
        struct header_field field = {
            .name = str_head(raw, name),
            .body = str_span(raw.p + colon + 1, raw.n - colon - 3),
            .raw = raw,
        };
        if (header_fields_append(out, &field) < 0)
            return -1;
        to += raw.n;
    }
    return 0;
}
