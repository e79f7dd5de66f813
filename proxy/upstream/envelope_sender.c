#include "proxy/upstream/envelope_sender.h"

#include <assert.h>

#include "rules/base/octet_writer.h"
#include "rules/base/utf8.h"

/* Far above what the cap on recipients lets in. */
#define ENVELOPE_ARENA_MAX (16 * 1024 * 1024)
/* Far more than any that was parsed; "MAIL FROM:<" and the like is less. */
#define MAILBOX_MAX (ENVELOPE_COMMAND_MAX - PARAMS_TEXT_MAX - 64)

/* Whatever the callers checked: no octet that could end a command or begin
 * another one gets into it; octets above ASCII for SMTPUTF8 alone. */
static bool may_be_sent(const struct envelope *envelope, struct str mailbox)
{
    bool has_8bit = false;
    for (size_t i = 0; i < mailbox.n; i++) {
        unsigned char c = (unsigned char)mailbox.p[i];
        if (c < ' ' || c == 0x7f)
            return false;
        has_8bit = has_8bit || c > 0x7f;
    }
    if (has_8bit && !(envelope->params.is_smtputf8 && utf8_is_valid(mailbox)))
        return false;
    return mailbox.n <= MAILBOX_MAX;
}

int envelope_sender_init(struct envelope_sender *sender,
                         const struct envelope *envelope)
{
    *sender = (struct envelope_sender){.envelope = envelope};
    arena_init(&sender->arena, ENVELOPE_ARENA_MAX);
    return may_be_sent(envelope, envelope->reverse_path) ? 0 : -1;
}

void envelope_sender_release(struct envelope_sender *sender)
{
    arena_release(&sender->arena);
}

int envelope_sender_add(struct envelope_sender *sender, struct str mailbox,
                        const struct rcpt_params *params)
{
    struct rcpt_params kept = *params;
    if (!may_be_sent(sender->envelope, mailbox))
        return -1;
    if (sender->count == sender->capacity) {
        struct sent_recipient *grown =
            arena_grow(&sender->arena, sender->recipients, sender->count,
                       &sender->capacity, sizeof(*grown));
        if (grown == NULL)
            return -1;
        sender->recipients = grown;
    }
    struct str copy = arena_str(&sender->arena, mailbox);
    if (copy.p == NULL || rcpt_params_keep(&kept, &sender->arena) != 0)
        return -1;
    sender->recipients[sender->count++] = (struct sent_recipient){copy, kept};
    return 0;
}

static size_t append(char *to, size_t used, struct str octets)
{
    struct octet_writer writer = {
        .to = to, .room = ENVELOPE_COMMAND_MAX, .used = used};
    octet_writer_put(&writer, octets);
    assert(!writer.is_full);
    return writer.used;
}

static size_t write_mail(const struct envelope_sender *sender,
                         const struct capabilities *capabilities, char *to)
{
    const struct envelope *envelope = sender->envelope;
    size_t n = append(to, 0, STR("MAIL FROM:<"));
    n = append(to, n, envelope->reverse_path);
    n = append(to, n, STR(">"));
    n += mail_params_write(&envelope->params, capabilities, to + n,
                           ENVELOPE_COMMAND_MAX - n);
    return append(to, n, STR("\r\n"));
}

static size_t write_rcpt(const struct envelope_sender *sender,
                         const struct capabilities *capabilities, char *to)
{
    const struct sent_recipient *r = &sender->recipients[sender->sent];
    size_t n = append(to, 0, STR("RCPT TO:<"));
    n = append(to, n, r->mailbox);
    n = append(to, n, STR(">"));
    n += rcpt_params_write(&r->params, capabilities, to + n,
                           ENVELOPE_COMMAND_MAX - n);
    return append(to, n, STR("\r\n"));
}

static size_t count_due(const struct envelope_sender *sender)
{
    return (sender->mail == MAIL_SENT ? 1 : 0) + sender->sent -
           sender->answered;
}

static bool has_next(const struct envelope_sender *sender)
{
    return sender->mail != MAIL_REFUSED && sender->sent < sender->count;
}

size_t envelope_sender_next(struct envelope_sender *sender,
                            const struct capabilities *capabilities, char *to,
                            size_t room, size_t *commands)
{
    size_t used = 0;
    *commands = 0;
    while (has_next(sender) && room - used >= ENVELOPE_COMMAND_MAX) {
        if (!capabilities->has_pipelining && count_due(sender) > 0)
            break;
        if (sender->mail == MAIL_UNSENT) {
            used += write_mail(sender, capabilities, to + used);
            sender->mail = MAIL_SENT;
        } else {
            used += write_rcpt(sender, capabilities, to + used);
            sender->sent++;
        }
        ++*commands;
    }
    return used;
}

enum envelope_answer envelope_sender_answer(struct envelope_sender *sender,
                                            bool is_accepted)
{
    if (sender->mail == MAIL_SENT) {
        sender->mail = is_accepted ? MAIL_ACCEPTED : MAIL_REFUSED;
        return ANSWER_TO_MAIL;
    }
    assert(sender->answered < sender->sent);
    sender->answered++;
    return sender->mail == MAIL_REFUSED ? ANSWER_TO_NOTHING : ANSWER_TO_RCPT;
}

bool envelope_sender_is_due(const struct envelope_sender *sender)
{
    return sender->mail == MAIL_SENT || sender->answered < sender->sent;
}

void envelope_sender_restart(struct envelope_sender *sender)
{
    sender->sent = 0;
    sender->answered = 0;
    sender->mail = MAIL_UNSENT;
}
