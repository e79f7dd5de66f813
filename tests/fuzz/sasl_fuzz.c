/* AUTH exchanges: the first octet chooses mechanism and initial response,
 * then a response a line. */
#include "proxy/sasl/sasl.h"

#include "rules/base/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_state(const struct sasl *sasl, enum sasl_next next)
{
    struct str name = {sasl->name, sasl->name_length};
    struct str password = {sasl->password, sasl->password_length};
    if (next == SASL_CHALLENGE)
        return;
    if (next != SASL_CREDENTIALS) {
        assert(name.p == NULL && password.p == NULL);
        return;
    }
    assert(name.n > 0 && password.n > 0 && utf8_is_valid(name));
    assert(str_index(password, '\0') < 0 && str_index(password, '\n') < 0);
    for (size_t i = 0; i < name.n; i++)
        assert((uint8_t)name.p[i] >= ' ' && name.p[i] != 0x7f);
    assert(name.p[name.n] == '\0' && password.p[password.n] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str rest = {(const char *)data + 1, size - 1};
    struct str line = {NULL, 0};
    struct sasl sasl;
    const char *challenge = NULL;
    bool has_initial = (data[0] & 2) != 0;
    sasl_init(&sasl, data[0] & 1 ? SASL_LOGIN : SASL_PLAIN);
    if (has_initial)
        str_cut(rest, '\n', &line, &rest);
    enum sasl_next next = sasl_begin(&sasl, has_initial, line, &challenge);
    assert_state(&sasl, next);
    while (next == SASL_CHALLENGE && rest.n > 0) {
        assert(challenge != NULL);
        str_cut(rest, '\n', &line, &rest);
        next = sasl_respond(&sasl, line, &challenge);
        assert_state(&sasl, next);
    }
    sasl_release(&sasl);
    return 0;
}
