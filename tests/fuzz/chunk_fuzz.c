/* Octets as the chunks of BDAT, cut anywhere and arriving in pieces, through
 * the decoder, strict and repairing; what it gives through the encoder into
 * other chunks, and those through the decoder again. */
#include "proxy/smtp/chunk_writer.h"
#include "proxy/smtp/command.h"
#include "proxy/smtp/content_reader.h"

#include "tests/fuzz/line_ends.h"
#include "tests/fuzz/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One chunk; the octets behind it, of which there are `behind`, stay. */
static void decode_chunk(struct content_reader *reader, struct str chunk,
                         size_t behind, struct pieces *pieces,
                         struct octets *out)
{
    enum content_next next = CONTENT_MORE;
    struct str rest = str_span(chunk.p, chunk.n + behind), bytes;
    content_reader_chunk(reader, chunk.n);
    while (next != CONTENT_END) {
        struct str input = str_head(rest, pieces_size(pieces));
        size_t given = input.n;
        while ((next = content_reader_next(reader, &input, &bytes)) ==
               CONTENT_BYTES) {
            assert(reader->fault == CONTENT_FAULT_NONE && bytes.n > 0);
            octets_add(out, bytes);
        }
        assert(next == CONTENT_END || (given > 0 && input.n == 0));
        rest = str_skip(rest, given - input.n);
    }
    assert(rest.n == behind);
}

static struct octets decode(struct content_reader *reader, struct str text,
                            uint32_t seed, bool repairs)
{
    struct octets out = octets_new(2 * text.n + 2);
    struct pieces pieces = {text, seed};
    struct str chunk;
    content_reader_init(reader, UINT64_MAX, repairs);
    while (pieces_next(&pieces, &chunk))
        decode_chunk(reader, chunk, pieces.rest.n, &pieces, &out);
    octets_add(&out, content_reader_finish(reader));
    return out;
}

static bool lacks_end(struct str text)
{
    return text.n > 0 && text.p[text.n - 1] != '\n';
}

static void assert_counts(const struct content_reader *reader, struct str text)
{
    uint64_t lines = 0, longest = 0, octets = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool is_end = text.p[i] == '\r' || text.p[i] == '\n';
        lines += text.p[i] == '\n';
        octets = is_end ? 0 : octets + 1;
        if (octets > longest)
            longest = octets;
    }
    assert(reader->bytes == text.n && reader->scan.lines == lines);
    assert(reader->scan.longest == longest);
}

/* The octets of the chunk behind its command; the command is as we read it. */
static size_t read_command(struct str wire, size_t *at)
{
    struct str line, digits, last;
    struct command command;
    uint64_t octets;
    size_t end = *at;
    while (wire.p[end] != '\r')
        end++;
    line = str_span(wire.p + *at, end - *at);
    assert(command_parse(line, &command) == 0);
    assert(command.verb == VERB_BDAT && wire.p[end + 1] == '\n');
    str_cut(command.argument, ' ', &digits, &last);
    assert(str_to_u64(digits, &octets) == 0);
    *at = end + 2;
    assert(octets <= wire.n - *at);
    assert(str_equals(last, STR("LAST")) == (*at + octets == wire.n));
    return (size_t)octets;
}

static void assert_arrives(struct str wire, struct str content,
                           struct pieces *pieces)
{
    struct octets out = octets_new(wire.n + 2);
    struct content_reader reader;
    content_reader_init(&reader, UINT64_MAX, false);
    for (size_t at = 0; at < wire.n;) {
        size_t octets = read_command(wire, &at);
        decode_chunk(&reader, str_span(wire.p + at, octets),
                     wire.n - at - octets, pieces, &out);
        at += octets;
    }
    assert(content_reader_finish(&reader).n == 0);
    assert(reader.fault == CONTENT_FAULT_NONE);
    assert(str_equals(str_span(out.p, out.n), content));
    free(out.p);
}

static void add_chunk(struct octets *wire, struct str chunk, bool is_last)
{
    char room[CHUNK_COMMAND_MAX];
    octets_add(wire, chunk_command(room, chunk.n, is_last));
    octets_add(wire, chunk);
}

/* Any content: refused if it is not canonical, otherwise it arrives. */
static void round_trip(struct str content, uint32_t seed)
{
    struct octets wire = octets_new(content.n * (CHUNK_COMMAND_MAX + 1) + 64);
    struct octets whole = octets_new(content.n + 2);
    struct pieces pieces = {content, seed};
    struct chunk_writer writer;
    struct str chunk, end;
    bool is_taken = true;
    chunk_writer_init(&writer);
    while (is_taken && pieces_next(&pieces, &chunk)) {
        is_taken = chunk_writer_check(&writer, chunk) == 0;
        add_chunk(&wire, chunk, false);
    }
    is_taken = is_taken && chunk_writer_finish(&writer, &end) == 0;
    assert(is_taken == is_canonical(content, true));
    if (is_taken) {
        assert(str_equals(end, lacks_end(content) ? STR("\r\n") : STR("")));
        octets_add(&whole, content);
        octets_add(&whole, end);
        add_chunk(&wire, end, true);
        assert_arrives(str_span(wire.p, wire.n), str_span(whole.p, whole.n),
                       &pieces);
    }
    free(wire.p);
    free(whole.p);
}

static void read_strictly(struct str text, uint32_t seed)
{
    struct content_reader reader;
    struct octets out = decode(&reader, text, seed, false);
    struct str content = str_span(out.p, out.n);
    bool is_taken = reader.fault == CONTENT_FAULT_NONE;
    assert(is_taken == is_canonical(text, true));
    assert(!reader.has_repaired);
    if (is_taken) {
        assert(content.n == text.n + (lacks_end(text) ? 2 : 0));
        assert(str_starts_with(content, text) && !lacks_end(content));
        assert_counts(&reader, content);
    } else {
        assert(str_starts_with(text, content));
    }
    free(out.p);
}

static void read_and_repair(struct str text, uint32_t seed)
{
    struct content_reader reader;
    struct octets want = repaired(text);
    struct octets out = decode(&reader, text, seed, true);
    struct str content = str_span(out.p, out.n);
    bool is_taken = reader.fault == CONTENT_FAULT_NONE;
    assert(is_taken == (text.n == 0 || memchr(text.p, 0, text.n) == NULL));
    if (is_taken) {
        assert(reader.has_repaired == !is_canonical(text, true));
        assert(str_starts_with(content, str_span(want.p, want.n)));
        assert(content.n == want.n ||
               str_equals(str_skip(content, want.n), STR("\r\n")));
        assert(is_canonical(content, true) && !lacks_end(content));
        assert_counts(&reader, content);
        round_trip(content, seed);
    }
    free(want.p);
    free(out.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    read_strictly(text, data[0]);
    read_and_repair(text, data[0]);
    round_trip(text, data[0]);
    return 0;
}
