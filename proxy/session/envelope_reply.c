#include "proxy/session/envelope_reply.h"

static struct reply reply(int code, const char *enhanced, const char *text)
{
    return (struct reply){code, str_from(enhanced), str_from(text)};
}

struct reply reply_of_path_error(enum verb verb, enum path_error error)
{
    bool is_mail = verb == VERB_MAIL;
    /* RFC 3463 3.2: of the sender, and of the recipient. */
    const char *enhanced = is_mail ? "5.1.7" : "5.1.3";
    switch (error) {
    case PATH_UNQUALIFIED:
        return reply(553, "5.5.4",
                     "The address needs a domain: user@example.com");
    case PATH_UTF8:
        return reply(553, "5.6.7",
                     "An address outside ASCII needs SMTPUTF8 with MAIL");
    case PATH_TOO_LONG:
        return reply(501, enhanced, "The address is too long");
    case PATH_SYNTAX:
    case PATH_OK:
        break;
    }
    return reply(501, enhanced,
                 is_mail ? "Not an address: MAIL FROM:<user@example.com>"
                         : "Not an address: RCPT TO:<user@example.com>");
}

struct reply reply_of_params_error(enum verb verb, enum params_error error)
{
    bool is_mail = verb == VERB_MAIL;
    if (error == PARAMS_UNKNOWN)
        return reply(555, "5.5.4",
                     is_mail ? "Unknown parameter of MAIL"
                             : "Unknown parameter of RCPT");
    return reply(501, "5.5.4",
                 is_mail ? "Bad parameter of MAIL" : "Bad parameter of RCPT");
}

struct reply reply_of_not_offered(enum extension extension)
{
    static const struct str texts[EXTENSION_COUNT] = {
        [EXTENSION_8BITMIME] = STR_INIT("8BITMIME is not offered here"),
        [EXTENSION_SMTPUTF8] = STR_INIT("SMTPUTF8 is not offered here"),
        [EXTENSION_DSN] = STR_INIT("DSN is not offered here"),
        [EXTENSION_REQUIRETLS] = STR_INIT("REQUIRETLS is not offered here"),
        [EXTENSION_FUTURERELEASE] =
            STR_INIT("FUTURERELEASE is not offered here"),
        [EXTENSION_MT_PRIORITY] = STR_INIT("MT-PRIORITY is not offered here"),
        [EXTENSION_DELIVERBY] = STR_INIT("DELIVERBY is not offered here"),
    };
    return (struct reply){555, STR("5.5.4"), texts[extension]};
}
