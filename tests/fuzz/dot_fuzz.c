/* Octets through the decoder, what it gives through the encoder, and that
 * through the decoder again, each cut anywhere. The end of data, the faults
 * and the encoder's invariant are checked by the plainest means there are. */
#include "proxy/smtp/content_reader.h"
#include "proxy/smtp/dot_writer.h"

#include "tests/fuzz/line_ends.h"
#include "tests/fuzz/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Behind the first CRLF.CRLF, where the text begins behind a CRLF; 0: none. */
static size_t end_of_data(struct str text)
{
    if (str_starts_with(text, STR(".\r\n")))
        return 3;
    const char *at =
        text.n == 0 ? NULL : memmem(text.p, text.n, "\r\n.\r\n", 5);
    return at == NULL ? 0 : (size_t)(at - text.p) + 5;
}

/* Decodes into `out`; returns what was taken. */
static size_t decode(struct content_reader *reader, bool repairs,
                     struct pieces pieces, struct octets *out)
{
    size_t taken = 0;
    struct str input;
    content_reader_init(reader, UINT64_MAX, repairs);
    while (pieces_next(&pieces, &input)) {
        size_t given = input.n;
        enum content_next next;
        struct str bytes;
        while ((next = content_reader_next(reader, &input, &bytes)) ==
               CONTENT_BYTES) {
            assert(reader->fault == CONTENT_FAULT_NONE && bytes.n > 0);
            octets_add(out, bytes);
        }
        taken += given - input.n;
        if (next == CONTENT_END)
            return taken;
        assert(input.n == 0);
    }
    return taken;
}

/* Encodes into `out`; false when the writer refused. */
static bool encode(struct pieces pieces, struct octets *out)
{
    struct dot_writer writer;
    struct str input;
    size_t n;
    dot_writer_init(&writer);
    while (pieces_next(&pieces, &input)) {
        while (input.n > 0) {
            size_t room = 1 + pieces_size(&pieces);
            int error =
                dot_writer_write(&writer, &input, out->p + out->n, room, &n);
            assert(n <= room);
            out->n += n;
            if (error < 0)
                return false;
            assert(n > 0);
        }
    }
    bool is_done = dot_writer_finish(&writer, out->p + out->n, 5, &n) == 0;
    out->n += n;
    return is_done;
}

/* What goes upstream: canonical, one end, every other dot doubled. */
static void assert_wire(struct str wire)
{
    assert(is_canonical(wire, true));
    assert(end_of_data(wire) == wire.n);
    for (size_t i = 0; i + 3 < wire.n; i++) {
        bool is_start = i == 0 || wire.p[i - 1] == '\n';
        assert(!is_start || wire.p[i] != '.' || wire.p[i + 1] == '.');
        i += is_start && wire.p[i] == '.';
    }
}

/* Any content: refused if it is not canonical, otherwise it comes back. */
static void round_trip(struct str content, uint32_t seed)
{
    /* Rooms are given as large as they may be, whatever is left. */
    struct octets wire = octets_new(content.n * 2 + 5 + 8192);
    struct octets back = octets_new(content.n + 2);
    struct content_reader reader;
    bool is_encoded = encode((struct pieces){content, seed}, &wire);
    assert(is_encoded == is_canonical(content, true));
    if (is_encoded) {
        struct str sent = str_span(wire.p, wire.n);
        assert_wire(sent);
        assert(decode(&reader, false, (struct pieces){sent, seed + 1}, &back) ==
               wire.n);
        assert(reader.fault == CONTENT_FAULT_NONE && reader.bytes == back.n);
        assert(str_starts_with(str_span(back.p, back.n), content));
        bool ended = content.n == 0 || content.p[content.n - 1] == '\n';
        assert(back.n == content.n + (ended ? 0 : 2));
    }
    free(wire.p);
    free(back.p);
}

/* The first dot of each line goes, but for one that is alone on it. */
static struct octets unstuffed(struct str text)
{
    struct octets out = octets_new(text.n);
    for (size_t i = 0; i < text.n; i++) {
        bool is_start = i == 0 || text.p[i - 1] == '\n';
        bool is_lone = i + 1 < text.n && text.p[i + 1] == '\r';
        if (!is_start || text.p[i] != '.' || is_lone)
            octets_add(&out, str_span(text.p + i, 1));
    }
    return out;
}

/* What is canonical comes out as the lines that it is, dots taken off. */
static void assert_content(struct str lines, const struct octets *content)
{
    struct octets want = unstuffed(lines);
    assert(
        str_equals(str_span(content->p, content->n), str_span(want.p, want.n)));
    free(want.p);
}

static void read_and_repair(struct str text, size_t end, uint32_t seed)
{
    struct octets content = octets_new(2 * text.n + 2);
    struct content_reader reader;
    size_t taken = decode(&reader, true, (struct pieces){text, seed}, &content);
    struct str read = str_head(text, taken);
    assert(taken == (end == 0 ? text.n : end));
    bool has_nul = read.n > 0 && memchr(read.p, 0, read.n) != NULL;
    assert((reader.fault != CONTENT_FAULT_NONE) == has_nul);
    if (!has_nul && end > 0) {
        struct octets lines = repaired(str_head(read, end - 3));
        assert_content(str_span(lines.p, lines.n), &content);
        assert(reader.bytes == content.n);
        assert(reader.has_repaired == !is_canonical(read, true));
        round_trip(str_span(content.p, content.n), seed);
        free(lines.p);
    }
    free(content.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    struct octets content = octets_new(text.n + 2);
    struct content_reader reader;
    size_t end = end_of_data(text);
    size_t taken =
        decode(&reader, false, (struct pieces){text, data[0]}, &content);
    assert(taken == (end == 0 ? text.n : end));
    struct str read = str_head(text, taken);
    assert((reader.fault == CONTENT_FAULT_NONE) == is_canonical(read, false));
    if (reader.fault == CONTENT_FAULT_NONE) {
        assert(is_canonical(str_span(content.p, content.n), true));
        assert(reader.bytes >= content.n);
        if (end > 0)
            assert_content(str_head(read, end - 3), &content);
        round_trip(str_span(content.p, content.n), data[0]);
    }
    round_trip(text, data[0]);
    read_and_repair(text, end, data[0]);
    free(content.p);
    return 0;
}
