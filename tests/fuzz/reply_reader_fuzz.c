/* An upstream's replies, cut anywhere. What comes out does not depend on the
 * cuts, and what is written of it is one well-formed reply. */
#include "proxy/smtp/reply_reader.h"

#include "proxy/smtp/capability.h"
#include "tests/fuzz/pieces.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct reply_limits LIMITS = {
    .line = 300, .lines = 20, .total = 1000};

static void assert_written(const struct reply *reply)
{
    static const struct reply_limits wide = {
        .line = REPLY_LINE_MAX, .lines = 100, .total = 16384};
    char out[16384];
    struct reply_reader reader;
    struct reply again;
    size_t n = reply_format(reply, out, sizeof out);
    struct str input = str_span(out, n);
    assert(n > 0);
    reply_reader_init(&reader, &wide);
    assert(reply_reader_next(&reader, &input, &again) == REPLY_READY);
    assert(input.n == 0 && again.code == reply->code);
    reply_reader_release(&reader);
}

static void assert_reply(const struct reply *reply)
{
    struct capabilities found;
    assert(reply->code >= 200 && reply->code <= 599);
    assert(reply->enhanced.n == 0 ||
           enhanced_code_fits(reply->enhanced, reply->code));
    for (size_t i = 0; i < reply->text.n; i++)
        assert(reply->text.p[i] == '\n' ||
               (reply->text.p[i] >= ' ' && reply->text.p[i] <= '~'));
    capabilities_parse(reply->text, &found);
    assert_written(reply);
}

/* Reads all, and returns a checksum of what came out. */
static uint64_t read_stream(struct pieces pieces, bool is_slow)
{
    struct reply_reader reader;
    struct reply reply;
    struct str piece;
    uint64_t sum = 0;
    enum reply_next next = REPLY_MORE;
    reply_reader_init(&reader, &LIMITS);
    while (next == REPLY_MORE && pieces_next(&pieces, &piece)) {
        struct str input = is_slow ? str_head(piece, 1) : piece;
        pieces.rest =
            str_span(input.p + input.n, pieces.rest.n + piece.n - input.n);
        while ((next = reply_reader_next(&reader, &input, &reply)) ==
               REPLY_READY) {
            assert_reply(&reply);
            sum = sum * 31 + (uint64_t)reply.code + reply.enhanced.n;
            for (size_t i = 0; i < reply.text.n; i++)
                sum = sum * 31 + (uint8_t)reply.text.p[i];
        }
    }
    assert(next != REPLY_MEMORY);
    assert((next == REPLY_ERROR) == (reader.error != NULL));
    reply_reader_release(&reader);
    return sum * 2 + (next == REPLY_ERROR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct pieces pieces = {{(const char *)data + 1, size - 1}, data[0]};
    assert(read_stream(pieces, false) == read_stream(pieces, true));
    return 0;
}
