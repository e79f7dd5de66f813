#include "proxy/ask/policy_reply.h"

#include <string.h>

void policy_reply_init(struct policy_reply *reply)
{
    reply->line_length = 0;
    reply->action_length = 0;
    reply->has_action = false;
    reply->total = 0;
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

/* Other names are passed over: the protocol lets a server add to it. */
static enum policy_reply_next take_line(struct policy_reply *reply)
{
    struct str line = str_span(reply->line, reply->line_length), name, value;
    if (line.n == 0)
        return reply->has_action ? POLICY_REPLY_READY : POLICY_REPLY_BAD;
    reply->line_length = 0;
    if (!str_cut(line, '=', &name, &value) || name.n == 0)
        return POLICY_REPLY_BAD;
    if (!str_equals(name, STR("action")))
        return POLICY_REPLY_MORE;
    value = str_trim(value);
    /* Two actions, or an empty one: whoever chose among them would guess. */
    if (reply->has_action || value.n == 0)
        return POLICY_REPLY_BAD;
    memcpy(reply->action, value.p, value.n);
    reply->action_length = value.n;
    reply->has_action = true;
    return POLICY_REPLY_MORE;
}

enum policy_reply_next policy_reply_feed(struct policy_reply *reply,
                                         struct str *octets)
{
    while (octets->n > 0) {
        char c = octets->p[0];
        *octets = str_skip(*octets, 1);
        if (++reply->total > POLICY_REPLY_MAX)
            return POLICY_REPLY_BAD;
        if (c == '\n') {
            enum policy_reply_next next = take_line(reply);
            if (next != POLICY_REPLY_MORE)
                return next;
        } else if (is_control(c) || reply->line_length == sizeof reply->line) {
            return POLICY_REPLY_BAD;
        } else {
            reply->line[reply->line_length++] = c;
        }
    }
    return POLICY_REPLY_MORE;
}

struct str policy_reply_action(const struct policy_reply *reply)
{
    return str_span(reply->action, reply->action_length);
}
