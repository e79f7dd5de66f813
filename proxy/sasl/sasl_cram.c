/* CRAM-MD5 (RFC 2195). */
#include "proxy/sasl/base64.h"
#include "proxy/sasl/sasl_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/mem.h>
#include <openssl/rand.h>

#define HOSTNAME_MAX 255
#define CHALLENGE_MAX 320

struct cram_state {
    struct str challenge; /* of text */
    char text[CHALLENGE_MAX];
    char encoded[BASE64_ROOM(CHALLENGE_MAX)];
    uint8_t digest[CRAM_DIGEST]; /* the client's */
};

/* Chance alone makes it unique; the time is there for its form. */
static enum sasl_next ask_cram(struct sasl *sasl, const char **challenge)
{
    struct cram_state *state = sasl_make_state(sasl, sizeof *state);
    struct str hostname = str_head(sasl->channel->hostname, HOSTNAME_MAX);
    uint64_t chance[2];
    if (state == NULL)
        return SASL_MEMORY;
    RAND_bytes((uint8_t *)chance, sizeof chance);
    int n = snprintf(state->text, sizeof state->text,
                     "<%" PRIu64 "%" PRIu64 ".%lld@%.*s>", chance[0], chance[1],
                     (long long)time(NULL), (int)hostname.n,
                     hostname.n == 0 ? "" : hostname.p);
    assert(n > 0 && (size_t)n < sizeof state->text);
    state->challenge = str_span(state->text, (size_t)n);
    *challenge = base64_encode(state->challenge, state->encoded).p;
    return SASL_CHALLENGE;
}

/* The name may hold blanks, the digest may not. */
static enum sasl_next take_cram_response(struct sasl *sasl, struct str response,
                                         const char **challenge)
{
    struct cram_state *state = sasl->state;
    ptrdiff_t blank = str_last_index(response, ' ');
    (void)challenge;
    if (blank < 0)
        return SASL_MALFORMED;
    struct str name = str_head(response, (size_t)blank);
    struct str digest = str_skip(response, (size_t)blank + 1);
    if (!sasl_is_name(name) ||
        hex_read(digest, false, state->digest, CRAM_DIGEST) != 0)
        return SASL_MALFORMED;
    enum sasl_next next = sasl_keep_name(sasl, name);
    return next == SASL_CLAIM ? SASL_SECRETS : next;
}

static enum sasl_next take_contexts(struct sasl *sasl,
                                    const uint8_t contexts[CRAM_CONTEXTS])
{
    struct cram_state *state = sasl->state;
    uint8_t want[CRAM_DIGEST];
    cram_digest(contexts, state->challenge, want);
    bool is_right = CRYPTO_memcmp(want, state->digest, sizeof want) == 0;
    OPENSSL_cleanse(want, sizeof want);
    return is_right ? SASL_CLAIM : SASL_REFUSED;
}

const struct sasl_kind sasl_kind_cram_md5 = {.name = "CRAM-MD5",
                                             .ask = ask_cram,
                                             .take = take_cram_response,
                                             .take_cram = take_contexts};
