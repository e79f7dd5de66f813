/* What an exchange keeps of a client's words, and which of them are fit. */
#include "proxy/sasl/sasl_internal.h"

#include "rules/base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return true;
    return false;
}

/* A name goes into look-ups, replies and the log. */
bool sasl_is_name(struct str name)
{
    return name.n > 0 && name.n <= SASL_NAME_MAX && !has_control(name) &&
           utf8_is_valid(name);
}

/* A copy with a NUL behind it that the length does not count. */
static enum sasl_next keep(struct str text, char **to, size_t *length)
{
    assert(*to == NULL);
    *to = malloc(text.n + 1);
    if (*to == NULL)
        return SASL_MEMORY;
    if (text.n > 0)
        memcpy(*to, text.p, text.n);
    (*to)[text.n] = '\0';
    *length = text.n;
    return SASL_CLAIM;
}

enum sasl_next sasl_keep_name(struct sasl *sasl, struct str name)
{
    return keep(name, &sasl->name, &sasl->name_length);
}

enum sasl_next sasl_keep_authzid(struct sasl *sasl, struct str authzid)
{
    struct str name = str_span(sasl->name, sasl->name_length);
    if (authzid.n == 0 || str_equals(authzid, name))
        return SASL_CLAIM;
    if (!sasl_is_name(authzid))
        return SASL_MALFORMED;
    return keep(authzid, &sasl->authzid, &sasl->authzid_length);
}

enum sasl_next sasl_keep_secret(struct sasl *sasl, struct str secret)
{
    return keep(secret, &sasl->secret, &sasl->secret_length);
}

void *sasl_make_state(struct sasl *sasl, size_t size)
{
    assert(sasl->state == NULL);
    sasl->state = calloc(1, size);
    sasl->state_size = sasl->state == NULL ? 0 : size;
    return sasl->state;
}
