#include "proxy/control/control_verbs.h"

#include "proxy/control/diagnostics.h"
#include "proxy/log/printable.h"

#include <time.h>

#define TEXT_MAX 4096

uint64_t control_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

json_t *control_text(struct str text)
{
    char shown[TEXT_MAX];
    json_t *plain = json_stringn(text.p, text.n);
    if (plain != NULL)
        return plain;
    return json_stringn(shown, printable(text, shown, sizeof shown));
}

static json_t *verb_reload(void *owner, const json_t *request)
{
    struct controlled *c = owner;
    struct reload_result result;
    json_t *reply = NULL;
    (void)request;
    reloader_ask(c->reloader, &result);
    switch (result.end) {
    case RELOAD_LIVE:
        reply = json_pack("{s:b, s:s, s:s, s:I}", "ok", 1, "before",
                          result.before, "policy", result.after, "tests",
                          (json_int_t)result.tests);
        break;
    case RELOAD_REFUSED:
        reply = control_refusal(
            "the new configuration is refused, the policy stays as it was");
        break;
    case RELOAD_BUSY:
        reply = control_refusal("another reload is under way, ask again when "
                                "it has ended");
        break;
    case RELOAD_STOPPING:
        reply = control_refusal("the server is stopping");
        break;
    }
    diagnostics_add(reply, &result.diags);
    reload_result_release(&result);
    return reply;
}

const struct control_verb control_verbs[] = {
    {"status", verb_status},
    {"reload", verb_reload},
    {"list", verb_list},
    {"limits", verb_limits},
    {NULL, NULL},
};
