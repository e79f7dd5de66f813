/* The file of an issuer's keys; each key that was read is held against a
 * signature, which it never made. */
#include "proxy/sasl/jwk_set.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char zeros[256];
    static const size_t lengths[] = {0, 64, 256};
    char wrong[120];
    struct jwk_set *set =
        jwk_set_new(str_span((const char *)data, size), wrong, sizeof wrong);
    if (set == NULL) {
        assert(strlen(wrong) > 0);
        return 0;
    }
    assert(jwk_set_count(set) > 0 && jwk_set_count(set) <= JWK_SET_KEYS_MAX);
    for (unsigned algorithm = 0; algorithm < JWS_ALGORITHMS; algorithm++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            (void)jwk_set_verify(set, (enum jws_algorithm)algorithm,
                                 (struct str){NULL, 0}, STR("input"),
                                 str_span(zeros, lengths[i]));
    jwk_set_free(set);
    return 0;
}
