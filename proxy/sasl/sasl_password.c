/* PLAIN (RFC 4616) and LOGIN: the password itself comes over. */
#include "proxy/sasl/sasl_internal.h"

#include "rules/base/utf8.h"

/* "Username:" and "Password:": some clients compare them. */
#define ASK_NAME "VXNlcm5hbWU6"
#define ASK_PASSWORD "UGFzc3dvcmQ6"

static bool is_password(struct str password)
{
    return password.n > 0 && str_index(password, '\0') < 0 &&
           str_index(password, '\r') < 0 && str_index(password, '\n') < 0;
}

/* [authzid] NUL authcid NUL passwd. */
static enum sasl_next take_plain(struct sasl *sasl, struct str message,
                                 const char **challenge)
{
    struct str authzid, authcid, passwd;
    (void)challenge;
    if (!utf8_is_valid(message) || !str_cut(message, '\0', &authzid, &passwd) ||
        !str_cut(passwd, '\0', &authcid, &passwd) || !sasl_is_name(authcid) ||
        !is_password(passwd))
        return SASL_MALFORMED;
    enum sasl_next next = sasl_keep_name(sasl, authcid);
    if (next == SASL_CLAIM)
        next = sasl_keep_authzid(sasl, authzid);
    return next == SASL_CLAIM ? sasl_keep_secret(sasl, passwd) : next;
}

static enum sasl_next take_login(struct sasl *sasl, struct str response,
                                 const char **challenge)
{
    if (sasl->responses > 0)
        return is_password(response) ? sasl_keep_secret(sasl, response)
                                     : SASL_MALFORMED;
    if (!sasl_is_name(response))
        return SASL_MALFORMED;
    *challenge = ASK_PASSWORD;
    enum sasl_next next = sasl_keep_name(sasl, response);
    return next == SASL_CLAIM ? SASL_CHALLENGE : next;
}

const struct sasl_kind sasl_kind_plain = {.name = "PLAIN", .take = take_plain};
const struct sasl_kind sasl_kind_login = {
    .name = "LOGIN", .question = ASK_NAME, .take = take_login};
