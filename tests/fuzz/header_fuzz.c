/* Header blocks, cut anywhere, read, edited and read again: what goes on is
 * read as the same fields by us, and no edit adds a field it was not asked
 * for. */
#include "proxy/smtp/header_reader.h"

#include "tests/fuzz/pieces.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 4096
#define FIELDS_MAX 50

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a message; *rest is what the reader did not take. */
static enum header_next read_message(struct header_reader *reader,
                                     struct pieces pieces, struct str *rest)
{
    struct str input;
    enum header_next next = HEADER_MORE;
    struct str text = pieces.rest;
    header_reader_init(reader, BYTES_MAX, FIELDS_MAX);
    *rest = str_skip(text, text.n);
    while (next == HEADER_MORE && pieces_next(&pieces, &input)) {
        next = header_reader_feed(reader, &input);
        *rest = str_skip(text, (size_t)(input.p - text.p));
    }
    return next == HEADER_MORE ? header_reader_end(reader) : next;
}

static void assert_fields(const struct header_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct header_field *field = &fields->items[i];
        assert(field->name.n > 0);
        for (size_t k = 0; k < field->name.n; k++)
            assert(field->name.p[k] > ' ' && field->name.p[k] <= '~' &&
                   field->name.p[k] != ':');
        assert(field->name.p == field->raw.p);
        assert(str_ends_with_nocase(field->raw, STR("\r\n")));
        assert(field->body.p + field->body.n + 2 ==
               field->raw.p + field->raw.n);
    }
}

/* The block as it goes on, with the empty line, is the same fields again. */
static void assert_read_again(const struct header_fields *fields,
                              struct arena *arena, uint32_t seed)
{
    size_t bytes = header_fields_bytes(fields);
    char *block = malloc(bytes + 2);
    size_t n = 0;
    struct header_reader reader;
    struct header_fields again;
    struct str rest;
    assert(block != NULL);
    for (size_t i = 0; i < fields->count; i++) {
        memcpy(block + n, fields->items[i].raw.p, fields->items[i].raw.n);
        n += fields->items[i].raw.n;
    }
    memcpy(block + n, "\r\n", 2);
    struct pieces pieces = {str_span(block, n + 2), seed};
    if (read_message(&reader, pieces, &rest) == HEADER_DONE) {
        header_fields_init(&again, arena);
        assert(header_reader_fields(&reader, &again) == 0);
        assert(rest.n == 0 && header_reader_overlap(&reader).n == 0);
        assert(again.count == fields->count);
        for (size_t i = 0; i < again.count; i++)
            assert(str_equals(again.items[i].raw, fields->items[i].raw));
    } else {
        assert(bytes > BYTES_MAX || fields->count > FIELDS_MAX);
    }
    header_reader_release(&reader);
    free(block);
}

/* The same message given at once: the same fields, and the same body. */
static void assert_cuts_do_not_matter(struct arena *arena, struct str text,
                                      enum header_next next,
                                      const struct header_fields *fields,
                                      size_t body_octets)
{
    struct header_reader reader;
    struct header_fields whole;
    struct str rest = text;
    header_reader_init(&reader, BYTES_MAX, FIELDS_MAX);
    enum header_next again = header_reader_feed(&reader, &rest);
    if (again == HEADER_MORE)
        again = header_reader_end(&reader);
    assert(again == next);
    if (again == HEADER_DONE) {
        header_fields_init(&whole, arena);
        assert(header_reader_fields(&reader, &whole) == 0);
        assert(header_reader_overlap(&reader).n + rest.n == body_octets);
        assert(whole.count == fields->count);
        for (size_t i = 0; i < whole.count; i++)
            assert(str_equals(whole.items[i].raw, fields->items[i].raw));
    }
    header_reader_release(&reader);
}

/* An edit out of what lies behind the header block. */
static void edit_fields(struct header_fields *fields, struct str text,
                        uint32_t seed)
{
    struct header_edit edit = {.kind = (enum header_edit_kind)(seed % 4)};
    size_t before = fields->count;
    str_cut(text, '=', &edit.name, &edit.value);
    int edited = header_fields_edit(fields, &edit);
    assert(edited != -1);
    assert(fields->count <= before + (edited == 0 ? 1 : 0));
    assert_fields(fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct pieces pieces = {{(const char *)data + 1, size - 1}, data[0]};
    struct header_reader reader;
    struct header_fields fields;
    struct arena arena;
    struct str rest, overlap = STR("");
    arena_init(&arena, (size + BYTES_MAX) * 16);
    header_fields_init(&fields, &arena);
    enum header_next next = read_message(&reader, pieces, &rest);
    if (next == HEADER_DONE) {
        overlap = header_reader_overlap(&reader);
        assert(header_reader_fields(&reader, &fields) == 0);
    }
    assert_cuts_do_not_matter(&arena, pieces.rest, next, &fields,
                              overlap.n + rest.n);
    if (next == HEADER_DONE) {
        assert(header_fields_bytes(&fields) <= BYTES_MAX);
        assert(overlap.n + rest.n <= pieces.rest.n);
        assert_fields(&fields);
        assert_read_again(&fields, &arena, data[0]);
        edit_fields(&fields, overlap.n > 0 ? overlap : rest, data[0]);
        assert_read_again(&fields, &arena, data[0]);
    }
    header_reader_release(&reader);
    arena_release(&arena);
    return 0;
}
