#include "tests/dialogue/far_act.h"

#include <string.h>

#include "tests/dialogue/fake_stream.h"

static const char *act_tls(struct far_end *far, struct str text)
{
    if (!far->stream || far->stream->state != STREAM_SECURING)
        return "TLS is not expected now";
    far->tls_at = far->said_total;
    far->tls = str_equals(text, STR("fail")) ? FAR_BREAKS_TLS : FAR_OFFERS_TLS;
    if (str_starts_with(text, STR("sni="))) {
        struct str sni = str_head(str_skip(text, 4), sizeof far->sni - 1);
        memcpy(far->sni, sni.p, sni.n);
    }
    return NULL;
}

const char *far_act(struct far_end *far, struct str name, struct str rest)
{
    if (str_equals(name, STR("tls")))
        return act_tls(far, rest);
    if (str_equals(name, STR("accept")))
        far->connect = FAR_ACCEPTS;
    else if (str_equals(name, STR("refuse")))
        far->connect = FAR_REFUSES;
    else if (str_equals(name, STR("close")))
        far->end = FAR_CLOSES;
    else if (str_equals(name, STR("cut")))
        far->end = FAR_CUTS;
    else if (str_equals(name, STR("reset")))
        far->end = FAR_RESETS;
    else if (str_equals(name, STR("stall")))
        far->is_stalled = true;
    else if (str_equals(name, STR("read")))
        far->is_stalled = false;
    else
        return "no far end can do this";
    return NULL;
}
