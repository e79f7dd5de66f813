#include "tests/dialogue/far_act.h"

#include <string.h>

#include "tests/dialogue/fake_stream.h"

static void copy_word(char *to, size_t room, struct str text)
{
    struct str word = str_head(text, room - 1);
    if (word.n > 0)
        memcpy(to, word.p, word.n);
    to[word.n] = '\0';
}

static const char *set_tls(struct far_end *far, struct str word)
{
    struct str key, value;
    str_cut(word, '=', &key, &value);
    if (str_equals(word, STR("fail")))
        far->tls = FAR_BREAKS_TLS;
    else if (str_equals(key, STR("sni")))
        copy_word(far->sni, sizeof far->sni, value);
    else if (str_equals(key, STR("cert")))
        copy_word(far->certificate, sizeof far->certificate, value);
    else if (str_equals(word, STR("version=1.2")))
        far->is_old = true;
    else
        return "TLS knows no such word";
    return NULL;
}

static const char *act_tls(struct far_end *far, struct str text)
{
    const char *wrong = NULL;
    struct str word;
    if (!far->stream || far->stream->state != STREAM_SECURING)
        return "TLS is not expected now";
    far->tls_at = far->said_total;
    far->tls = FAR_OFFERS_TLS;
    while (!wrong && (str_cut(text, ' ', &word, &text), word.n))
        wrong = set_tls(far, word);
    return wrong;
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
