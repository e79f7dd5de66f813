#include "rules/stage.h"

static const char *const NAMES[STAGE_COUNT] = {
    [STAGE_CONNECT] = "connect", [STAGE_HELO] = "helo",
    [STAGE_AUTH] = "auth",       [STAGE_MAIL] = "mail",
    [STAGE_RCPT] = "rcpt",       [STAGE_DATA] = "data",
    [STAGE_HEADER] = "header",   [STAGE_MESSAGE] = "message",
    [STAGE_REPLY] = "reply",
};

const char *stage_name(enum stage stage)
{
    return NAMES[stage];
}

const char *stage_help(enum stage stage)
{
    static const char *const HELP[STAGE_COUNT] = {
        [STAGE_CONNECT] = "a client connected, before the banner",
        [STAGE_HELO] = "EHLO or HELO, each time",
        [STAGE_AUTH] = "a login was tried, good or bad; asked again before "
                       "each MAIL",
        [STAGE_MAIL] = "MAIL",
        [STAGE_RCPT] = "each RCPT",
        [STAGE_DATA] = "DATA, or the first BDAT",
        [STAGE_HEADER] = "the header block is complete, nothing of it sent on",
        [STAGE_MESSAGE] = "the message is complete, before the upstream is "
                          "told so",
        [STAGE_REPLY] = "the upstream answered MAIL, a RCPT or the end of data",
    };
    return HELP[stage];
}

int stage_from_name(struct str name, enum stage *out)
{
    for (enum stage s = 0; s < STAGE_COUNT; s++) {
        if (str_equals(name, str_from(NAMES[s]))) {
            *out = s;
            return 0;
        }
    }
    return -1;
}
