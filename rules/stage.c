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
