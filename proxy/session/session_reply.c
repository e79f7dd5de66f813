#include "proxy/session/session_reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proxy/session/session_open.h"
#include "proxy/session/transaction.h"

#define TEXT_MAX 2048

const char *session_current_id(const struct session *s)
{
    return s->transaction != NULL ? s->transaction->id : s->id;
}

static void write_reply(struct session *s, const struct reply *reply)
{
    char octets[4 * TEXT_MAX];
    if (s->state == SESSION_CLOSING || s->stream == NULL)
        return;
    size_t n = reply_format(reply, octets, sizeof octets);
    if (n == 0) {
        struct reply plain = {reply->code, reply->enhanced,
                              STR("(the text was too long)")};
        n = reply_format(&plain, octets, sizeof octets);
    }
    /* Whoever never reads its replies is cut off (attack O02). */
    if (stream_write(s->stream, str_span(octets, n)) != 0) {
        session_note_cap(s, CAP_UNREAD_REPLIES);
        session_abort(s, SESSION_END_CAP);
    }
}

void session_reply_ours(struct session *s, const struct reply *reply)
{
    char full[TEXT_MAX + 64];
    struct reply marked = *reply;
    if (reply->code >= 400) {
        int n = snprintf(full, sizeof full, "%.*s (%s)",
                         (int)str_head(reply->text, TEXT_MAX).n, reply->text.p,
                         session_current_id(s));
        if (n > 0)
            marked.text = str_span(full, (size_t)n);
    }
    write_reply(s, &marked);
}

void session_reply(struct session *s, int code, const char *enhanced,
                   const char *text)
{
    struct reply reply = {code, str_from(enhanced), str_from(text)};
    session_reply_ours(s, &reply);
}

void session_replyf(struct session *s, int code, const char *enhanced,
                    const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0)
        n = 0;
    if ((size_t)n >= sizeof text)
        n = sizeof text - 1;
    struct reply reply = {code, str_from(enhanced), str_span(text, (size_t)n)};
    session_reply_ours(s, &reply);
}

void session_reply_upstream(struct session *s, const struct reply *reply)
{
    write_reply(s, reply);
}

struct reply reply_of_verdict(const struct verdict *verdict)
{
    if (verdict->kind == VERDICT_FAULT)
        return (struct reply){451, STR("4.3.5"),
                              STR("The policy of this server failed, "
                                  "try again later")};
    return (struct reply){verdict->code, verdict->enhanced, verdict->text};
}

void session_reply_verdict(struct session *s, const struct verdict *verdict)
{
    struct reply reply = reply_of_verdict(verdict);
    session_reply_ours(s, &reply);
}

void session_hang_up(struct session *s, enum session_end end,
                     const char *enhanced, const char *text)
{
    session_reply(s, 421, enhanced, text);
    session_close(s, end);
}

void session_bad_command(struct session *s, int code, const char *enhanced,
                         const char *text)
{
    const struct caps_settings *caps = &session_settings(s)->caps;
    /* A client that may mail without a login is as good as logged in. */
    bool is_known =
        s->user.n > 0 || (s->refusal == NULL && !session_needs_login(s));
    uint64_t cap = is_known ? caps->bad_commands_after_auth
                            : caps->bad_commands_before_auth;
    s->bad_commands++;
    if (s->bad_commands >= cap) {
        session_note_cap(s, is_known ? CAP_BAD_COMMANDS_AFTER_AUTH
                                     : CAP_BAD_COMMANDS_BEFORE_AUTH);
        session_hang_up(s, SESSION_END_CAP, "4.7.0", "Too many bad commands");
        return;
    }
    session_reply(s, code, enhanced, text);
}
