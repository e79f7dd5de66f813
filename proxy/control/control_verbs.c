#include "proxy/control/control_verbs.h"

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

static json_t *diagnostics_of(const struct diags *diags)
{
    json_t *items = json_array();
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        const char *file = diag->mark.file == NULL ? "" : diag->mark.file;
        json_array_append_new(
            items, json_pack("{s:s, s:o, s:I, s:I, s:o}", "level",
                             diag->level == DIAG_ERROR ? "error" : "warning",
                             "file", control_text(str_from(file)), "line",
                             (json_int_t)diag->mark.line, "column",
                             (json_int_t)diag->mark.column, "text",
                             control_text(str_from(diag->text))));
    }
    return items;
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
    if (reply != NULL && result.diags.count > 0) {
        json_object_set_new(reply, "diagnostics",
                            diagnostics_of(&result.diags));
        json_object_set_new(reply, "not_shown",
                            json_integer((json_int_t)result.diags.dropped));
    }
    reload_result_release(&result);
    return reply;
}

const struct control_verb control_verbs[] = {
    {"status", verb_status},
    {"reload", verb_reload},
    {"list", verb_list},
    {NULL, NULL},
};
