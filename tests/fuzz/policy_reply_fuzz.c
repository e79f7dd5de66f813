/* A policy server's answer, cut anywhere. What comes out does not depend on
 * the cuts, is bounded, and holds no control character. */
#include "proxy/ask/policy_reply.h"

#include "tests/fuzz/pieces.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum policy_reply_next read_all(struct policy_reply *reply,
                                       struct pieces pieces, bool is_slow)
{
    enum policy_reply_next next = POLICY_REPLY_MORE;
    struct str piece;
    policy_reply_init(reply);
    while (next == POLICY_REPLY_MORE && pieces_next(&pieces, &piece)) {
        struct str input = is_slow ? str_head(piece, 1) : piece;
        pieces.rest =
            str_span(input.p + input.n, pieces.rest.n + piece.n - input.n);
        next = policy_reply_feed(reply, &input);
        assert(next != POLICY_REPLY_MORE || input.n == 0);
    }
    return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct policy_reply fast, slow;
    if (size == 0)
        return 0;
    struct pieces pieces = {{(const char *)data + 1, size - 1}, data[0]};
    enum policy_reply_next next = read_all(&fast, pieces, false);
    assert(read_all(&slow, pieces, true) == next);
    assert(fast.total == slow.total && fast.total <= POLICY_REPLY_MAX + 1);
    if (next != POLICY_REPLY_READY)
        return 0;
    struct str action = policy_reply_action(&fast);
    assert(action.n > 0 && str_equals(action, policy_reply_action(&slow)));
    for (size_t i = 0; i < action.n; i++)
        assert((unsigned char)action.p[i] >= ' ' || action.p[i] == '\t');
    return 0;
}
