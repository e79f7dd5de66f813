/* EXTERNAL (RFC 4422 A): the certificate has said who it is; the response is
 * whom it wants to act as, and mostly empty. */
#include "proxy/sasl/sasl_internal.h"

static enum sasl_next take_external(struct sasl *sasl, struct str response,
                                    const char **challenge)
{
    struct str name = sasl->channel->certificate;
    (void)challenge;
    if (!sasl_is_name(name))
        return SASL_REFUSED;
    enum sasl_next next = sasl_keep_name(sasl, name);
    return next == SASL_CLAIM ? sasl_keep_authzid(sasl, response) : next;
}

const struct sasl_kind sasl_kind_external = {.name = "EXTERNAL",
                                             .take = take_external};
