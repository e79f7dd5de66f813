#include "proxy/session/policy_question.h"

#include "proxy/session/transaction.h"

/* Postfix's names of the moments; at others nobody may be asked. */
static const char *protocol_state(enum stage stage)
{
    switch (stage) {
    case STAGE_MAIL:
        return "MAIL";
    case STAGE_RCPT:
        return "RCPT";
    case STAGE_DATA:
        return "DATA";
    case STAGE_MESSAGE:
        return "END-OF-MESSAGE";
    default:
        return "CONNECT";
    }
}

/* The recipient in question; later on the only one, if there is one only. */
static struct str recipient(const struct session *s, enum stage stage)
{
    const struct transaction *t = s->transaction;
    if (stage == STAGE_RCPT)
        return facts_text(&s->facts, FACT_RCPT_TO);
    for (size_t i = 0; stage > STAGE_RCPT && i < t->recipient_count; i++)
        if (t->accepted_count == 1 &&
            t->recipients[i].state == RECIPIENT_ACCEPTED)
            return t->recipients[i].mailbox;
    return STR("");
}

static uint64_t message_size(const struct session *s, enum stage stage)
{
    const struct transaction *t = s->transaction;
    if (stage == STAGE_MESSAGE)
        return t->content.bytes;
    return t->envelope.params.has_size ? t->envelope.params.size : 0;
}

size_t policy_question_write(const struct session *s, enum stage stage,
                             char *to, size_t room)
{
    const struct facts *facts = &s->facts;
    const struct transaction *t = s->transaction;
    bool is_user = s->user.n > 0;
    if (t == NULL)
        return 0;
    struct policy_request request = {
        .protocol_state = protocol_state(stage),
        .is_extended = t->envelope.client.is_extended,
        .helo_name = facts_text(facts, FACT_HELO_NAME),
        .sender = facts_text(facts, FACT_MAIL_FROM),
        .recipient = recipient(s, stage),
        .recipient_count = stage > STAGE_RCPT ? t->accepted_count : 0,
        .client_address = facts_text(facts, FACT_CLIENT_IP),
        .client_port = facts->values[FACT_CLIENT_PORT].number,
        .instance = str_from(t->id),
        .sasl_method =
            is_user ? facts_text(facts, FACT_AUTH_MECHANISM) : STR(""),
        .sasl_username = s->user,
        .size = message_size(s, stage),
        .encryption_protocol = facts_text(facts, FACT_TLS_VERSION),
        .encryption_cipher = facts_text(facts, FACT_TLS_CIPHER),
        .server_address = str_from(stream_local_host(s->stream)),
        .server_port = stream_local_port(s->stream),
        .policy_context = s->listener->name,
    };
    return policy_request_write(&request, to, room);
}
