/* What an authentication server says, cut anywhere. What comes out does not
 * depend on the cuts, fields are no longer than what they were read from, and
 * an answer written back as a request is one line. */
#include "proxy/login/dovecot_protocol.h"

#include "tests/fuzz/pieces.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    size_t events;
    uint64_t digest;
    bool is_bad;
};

static void add(struct sum *sum, uint64_t value)
{
    sum->digest = (sum->digest ^ value) * 1099511628211U;
}

static void use_fields(struct sum *sum, const struct dovecot_answer *answer)
{
    static const char *const names[] = {"user", "addresses", "temp", "code"};
    static char to[4 * DOVECOT_LINE_MAX];
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str value;
        if (!dovecot_answer_field(answer, names[i], &arena, &value))
            continue;
        assert(value.p != NULL && value.n <= answer->fields.n);
        for (size_t at = 0; at < value.n; at++)
            add(sum, (unsigned char)value.p[at]);
        struct dovecot_request request = {
            .id = answer->id, .session = value, .response = value};
        size_t n = dovecot_write_request(&request, to, sizeof to);
        assert(n <= DOVECOT_LINE_MAX);
        assert(n == 0 || memchr(to, '\n', n) == to + n - 1);
    }
    arena_release(&arena);
}

static void read_all(struct sum *sum, struct pieces pieces, bool is_slow)
{
    struct dovecot_reader reader;
    struct dovecot_answer answer = {0};
    struct str piece, input = str_head(pieces.rest, 0);
    dovecot_reader_init(&reader);
    while (!sum->is_bad && pieces_next(&pieces, &piece)) {
        size_t step = is_slow ? 1 : piece.n;
        pieces.rest = str_span(piece.p + step, pieces.rest.n + piece.n - step);
        input.n += step;
        enum dovecot_next next;
        while ((next = dovecot_reader_next(&reader, &input, &answer)) !=
               DOVECOT_MORE) {
            add(sum, (uint64_t)next);
            sum->events++;
            sum->is_bad = next == DOVECOT_BAD;
            if (next == DOVECOT_BAD)
                break;
            if (next != DOVECOT_OPEN)
                use_fields(sum, &answer);
        }
        assert(sum->is_bad || input.n < DOVECOT_LINE_MAX);
    }
    assert(!sum->is_bad || reader.wrong != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum fast = {0}, slow = {0};
    if (size == 0)
        return 0;
    struct pieces pieces = {{(const char *)data + 1, size - 1}, data[0]};
    read_all(&fast, pieces, false);
    read_all(&slow, pieces, true);
    assert(fast.events == slow.events && fast.digest == slow.digest &&
           fast.is_bad == slow.is_bad);
    return 0;
}
