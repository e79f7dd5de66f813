/* What an introspection server answers, whole and octet by octet, which must
 * come to the same; the first octet says whether it closes behind that. */
#include "proxy/login/http_answer.h"
#include "proxy/login/introspection.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct token_wants wants = {
    .issuer = STR_INIT("i"),
    .scope = STR_INIT("s"),
    .user_claim = STR_INIT("username"),
    .other_user_claim = STR_INIT("sub"),
    .addresses_claim = STR_INIT("email"),
    .groups_claim = STR_INIT("groups"),
};

static enum http_next feed(struct http_answer *answer, struct str octets,
                           size_t step, bool is_closed)
{
    enum http_next next = HTTP_MORE;
    while (octets.n > 0 && next == HTTP_MORE) {
        next = http_answer_feed(answer, str_head(octets, step));
        octets = str_skip(octets, step);
    }
    return next == HTTP_MORE && is_closed ? http_answer_end(answer) : next;
}

static void read_body(struct str body)
{
    struct token_claims claims;
    enum token_verdict why;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    enum introspection_verdict verdict = introspection_read(
        body, &wants, 1700000000000ULL, &arena, &claims, &why);
    assert(verdict != INTROSPECTION_GOOD ||
           (claims.user.n > 0 && why == TOKEN_GOOD));
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str octets = str_span((const char *)data, size);
    if (size == 0)
        return 0;
    bool is_closed = data[0] == 'c';
    octets = str_skip(octets, 1);
    struct http_answer *whole = http_answer_new(), *split = http_answer_new();
    assert(whole != NULL && split != NULL);
    enum http_next next = feed(whole, octets, SIZE_MAX, is_closed);
    assert(feed(split, octets, 1, is_closed) == next);
    assert((http_answer_error(whole) != NULL) == (next == HTTP_BROKEN));
    assert(http_answer_body(whole).n <= HTTP_BODY_MAX);
    if (next == HTTP_WHOLE) {
        assert(http_answer_status(whole) == http_answer_status(split));
        assert(str_equals(http_answer_body(whole), http_answer_body(split)));
        read_body(http_answer_body(whole));
    }
    http_answer_free(whole);
    http_answer_free(split);
    return 0;
}
