/* What clients say in SCRAM: the first octet chooses whether -PLUS was chosen
 * and was on offer, then come the first message and, behind a line end, the
 * final one. The nonce is that of RFC 7677's example, so that its exchange is
 * the only one that may be taken. */
#include "proxy/sasl/scram_server.h"

#include "rules/base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUR_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define NONCE "rOprNGfwEbeRWgbNEkqO" OUR_NONCE
#define FIRST "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
#define FINAL                                                                  \
    "c=biws,r=" NONCE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define KEYS                                                                   \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                             \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"                            \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static void assert_names(const struct scram_server *scram)
{
    struct str name = str_span(scram->name, scram->name_length);
    struct str authzid = str_span(scram->authzid, scram->authzid_length);
    assert(name.n > 0 && name.n <= SCRAM_SERVER_NAME_MAX);
    assert(utf8_is_valid(name) && utf8_is_valid(authzid));
    assert(str_index(name, '\0') < 0 && str_index(authzid, '\0') < 0);
}

static void finish(struct scram_server *scram, struct str first,
                   struct str final, bool is_plus)
{
    struct scram_verifier verifier;
    char reply[SCRAM_SERVER_REPLY];
    struct str out;
    const char *wrong = scram_verifier_read(STR(KEYS), &verifier);
    assert(wrong == NULL);
    scram_server_challenge(scram, &verifier, reply);
    bool is_taken =
        scram_server_final(scram, final, reply, &out) == SCRAM_SERVER_TAKEN;
    assert(is_taken == (!is_plus && str_equals(first, STR(FIRST)) &&
                        str_equals(final, STR(FINAL))));
    assert(scram->verifier.iterations == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str first, final;
    if (size == 0)
        return 0;
    bool is_plus = (data[0] & 1) != 0;
    struct scram_server *scram = calloc(1, sizeof *scram);
    assert(scram != NULL);
    memcpy(scram->server_nonce, OUR_NONCE, sizeof OUR_NONCE);
    scram_server_init(scram, is_plus, is_plus || (data[0] & 2) != 0,
                      STR("0123456789abcdef0123456789abcdef"));
    str_cut(str_span((const char *)data + 1, size - 1), '\n', &first, &final);
    if (scram_server_first(scram, first) == SCRAM_SERVER_TAKEN) {
        assert_names(scram);
        finish(scram, first, final, is_plus);
    } else {
        assert(scram->step == SCRAM_SERVER_FAILED);
    }
    free(scram);
    return 0;
}
