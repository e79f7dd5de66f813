#include "tests/bench/load/load_commands.h"

#include <inttypes.h>
#include <string.h>

/* A body up to here goes out in one write with what is around it. */
#define COPIED_BODY ((size_t)32 << 10)
/* A message from here on says how large it is; a chunk always does. */
#define DECLARED_SIZE ((size_t)1000000)

bool load_commands_is_pipelined(const struct load_session *session)
{
    return session->load->options->pipelines && session->offers_pipelining;
}

static void put_mail(struct load_session *session)
{
    const struct load_options *options = session->load->options;
    size_t size = session->load->maker.message_size;
    if (options->uses_bdat || size > DECLARED_SIZE)
        octets_print(&session->out, "MAIL FROM:<%s> SIZE=%zu\r\n",
                     options->from, size);
    else
        octets_print(&session->out, "MAIL FROM:<%s>\r\n", options->from);
}

void load_commands_put_recipient(struct load_session *session, uint64_t n)
{
    octets_print(&session->out, "RCPT TO:<rcpt%" PRIu64 "@%s>\r\n", n,
                 session->load->options->recipient_domain);
}

static void put_body(struct load_session *session,
                     const struct message *message)
{
    if (message->body_size <= COPIED_BODY) {
        octets_add(&session->out, message->body, message->body_size);
        octets_add(&session->out, message->end, message->end_size);
        return;
    }
    session->body = message->body;
    session->body_size = message->body_size;
    memcpy(session->end, message->end, message->end_size);
    session->end_size = message->end_size;
}

void load_commands_put_message(struct load_session *session)
{
    struct load *load = session->load;
    struct message message;
    message_make(&load->maker, session->message_id, &message);
    if (load->options->uses_bdat) {
        octets_print(&session->out, "BDAT %zu LAST\r\n",
                     load->maker.message_size);
    } else {
        memcpy(message.end + message.end_size, ".\r\n", 3);
        message.end_size += 3;
    }
    octets_add(&session->out, message.head, message.head_size);
    put_body(session, &message);
}

void load_commands_put_envelope(struct load_session *session)
{
    const struct load_options *options = session->load->options;
    put_mail(session);
    if (!load_commands_is_pipelined(session))
        return;
    for (uint64_t i = 0; i < options->recipients; i++)
        load_commands_put_recipient(session, i);
    if (options->uses_bdat)
        load_commands_put_message(session);
    else
        octets_add_text(&session->out, "DATA\r\n");
}
