/* Whether the answers of a connection are in step with the questions. A server
 * that answers a message a second time, so late that the next one is under way
 * by then, makes each later answer one too late. Where it uses other enhanced
 * codes for messages than for the envelope, they tell; where it does not, the
 * 354 to DATA does, and no chunk is sent. */
#include "proxy/upstream/upstream_internal.h"

#include <string.h>

static struct str code_of(const struct upstream *upstream,
                          enum question_asked asked)
{
    const struct accepted_code *code = &upstream->accepted[asked];
    return str_span(code->octets, code->length);
}

static bool is_as_a_message(const struct upstream *upstream,
                            enum question_asked asked)
{
    return str_equals(code_of(upstream, asked), code_of(upstream, ASKED_END));
}

bool upstream_is_in_step(struct upstream *upstream, enum question_asked asked,
                         const struct reply *accepted)
{
    struct accepted_code *code = &upstream->accepted[asked];
    struct str enhanced = str_head(accepted->enhanced, sizeof(code->octets));
    if (!code->is_known) {
        if (enhanced.n > 0)
            memcpy(code->octets, enhanced.p, enhanced.n);
        code->length = enhanced.n;
        code->is_known = true;
        return true;
    }
    return asked == ASKED_END || !upstream->accepted[ASKED_END].is_known ||
           is_as_a_message(upstream, asked) ||
           !str_equals(enhanced, code_of(upstream, ASKED_END));
}

bool upstream_takes_chunks(const struct upstream *upstream)
{
    if (!upstream->accepted[ASKED_END].is_known)
        return upstream->capabilities.has_chunking;
    return upstream->capabilities.has_chunking &&
           !is_as_a_message(upstream, ASKED_MAIL) &&
           !is_as_a_message(upstream, ASKED_RCPT);
}
