#include "proxy/control/control_verbs.h"

#include <stdlib.h>

#include "proxy/metrics/metrics_text.h"

json_t *verb_metrics(void *owner, const json_t *request)
{
    size_t octets;
    char *text = metrics_text(owner, &octets);
    (void)request;
    if (text == NULL)
        return control_refusal("no memory");
    json_t *reply = json_pack("{s:b, s:s%}", "ok", 1, "text", text, octets);
    free(text);
    return reply;
}
