#include "proxy/session/added_recipients.h"

#include "proxy/session/body_pump.h"
#include "proxy/session/header_stage.h"
#include "proxy/session/transaction.h"

static bool is_recipient(const struct transaction *t, struct str mailbox)
{
    for (size_t i = 0; i < t->recipient_count; i++)
        if (t->recipients[i].state == RECIPIENT_ACCEPTED &&
            str_equals_nocase(t->recipients[i].mailbox, mailbox))
            return true;
    return false;
}

static void refuse(struct session *s, int code, const char *text)
{
    body_pump_refuse(s, STAGE_HEADER, code, "4.3.0", text);
}

bool added_recipients_ask(struct session *s)
{
    struct transaction *t = s->transaction;
    const struct effects *effects = &t->effects;
    if (effects->added_count == 0)
        return false;
    session_enter(s, SESSION_ADDING);
    t->added = arena_array(&t->arena, effects->added_count, sizeof *t->added);
    for (size_t i = 0; i < effects->added_count; i++) {
        struct str mailbox = effects->added[i].address;
        if (t->added != NULL && is_recipient(t, mailbox))
            continue;
        if (t->added == NULL || delivery_add(t->delivery, mailbox) != 0) {
            refuse(s, 451, "Out of memory, try again later");
            return true;
        }
        t->added[t->added_count++] =
            (struct added){.mailbox = mailbox,
                           .is_required = effects->added[i].is_required,
                           .state = RECIPIENT_ASKED};
    }
    if (t->added_count == 0)
        header_stage_send(s);
    return true;
}

static bool all_required_are_accepted(const struct transaction *t)
{
    for (size_t i = 0; i < t->added_count; i++)
        if (t->added[i].is_required && t->added[i].state != RECIPIENT_ACCEPTED)
            return false;
    return true;
}

void added_recipients_answer(struct session *s, size_t index,
                             const struct outcome *outcome)
{
    struct transaction *t = s->transaction;
    struct added *added = &t->added[index];
    bool is_accepted = outcome->reply.code < 400;
    added->reply = transaction_keep_reply(t, &outcome->reply);
    added->state = is_accepted ? RECIPIENT_ACCEPTED : RECIPIENT_REFUSED;
    if (!is_accepted)
        server_log_write(
            s->host->log, SERVER_WARNING,
            "%s: the upstream refused <%.*s>, a recipient that a rule added: "
            "%d %.*s",
            t->id, (int)added->mailbox.n, added->mailbox.p, added->reply.code,
            (int)str_head(added->reply.text, 200).n, added->reply.text.p);
    if (++t->added_answered < t->added_count)
        return;
    if (all_required_are_accepted(t))
        header_stage_send(s);
    else
        refuse(s, 451,
               "A copy of this message can't be delivered, try again later");
}
