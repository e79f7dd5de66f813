#include "tests/bench/load/load_transaction.h"

#include <string.h>

#include "tests/bench/load/load_commands.h"

static void begin_transaction(struct load_session *session, uint64_t mail_ns)
{
    session->state = STATE_MAIL;
    session->mail_ns = mail_ns;
    session->asked = session->taken = 0;
    session->is_mail_taken = false;
}

static void hold(struct load_session *session)
{
    session->state = STATE_IDLE;
    session->load->in_set_up--;
    session->load->idle_held++;
}

void load_transaction_next(struct load_session *session)
{
    struct load *load = session->load;
    if (load->options->idle > 0 &&
        session->sent >= load->options->idle_messages) {
        hold(session);
        return;
    }
    if (!load_claim(load, session->sent, &session->message_id)) {
        session->state = STATE_QUIT;
        octets_add_text(&session->out, "QUIT\r\n");
        return;
    }
    session->sent++;
    begin_transaction(session, load_now_ns());
    if (!load->has_begun) {
        load->has_begun = true;
        load->first_ns = session->mail_ns;
    }
    load_commands_put_envelope(session);
}

static void give_up_transaction(struct load_session *session)
{
    session->load->refused++;
    session->state = STATE_RSET;
    octets_add_text(&session->out, "RSET\r\n");
}

void load_transaction_on_mail(struct load_session *session, int class,
                              const char *line)
{
    bool is_pipelined = load_commands_is_pipelined(session);
    (void)line;
    session->is_mail_taken = class == CLASS_DONE;
    if (!session->is_mail_taken && !is_pipelined) {
        give_up_transaction(session);
        return;
    }
    session->state = STATE_RCPT;
    if (!is_pipelined)
        load_commands_put_recipient(session, 0);
}

static void put_content(struct load_session *session)
{
    if (session->load->options->uses_bdat)
        load_commands_put_message(session);
    else
        octets_add_text(&session->out, "DATA\r\n");
}

void load_transaction_on_rcpt(struct load_session *session, int class,
                              const char *line)
{
    const struct load_options *options = session->load->options;
    bool is_pipelined = load_commands_is_pipelined(session);
    (void)line;
    session->asked++;
    session->taken += class == CLASS_DONE;
    if (session->asked < options->recipients) {
        if (!is_pipelined)
            load_commands_put_recipient(session, session->asked);
        return;
    }
    if (!is_pipelined && session->taken == 0) {
        give_up_transaction(session);
        return;
    }
    session->state = options->uses_bdat ? STATE_BODY : STATE_DATA;
    if (!is_pipelined)
        put_content(session);
}

/* The next envelope goes right behind the final dot. */
static void chain(struct load_session *session)
{
    if (!session->load->options->chains ||
        !load_commands_is_pipelined(session) || session->body_size > 0 ||
        !load_claim(session->load, session->sent, &session->message_id))
        return;
    session->sent++;
    session->is_next_sent = true;
    session->next_mail_ns = load_now_ns();
    load_commands_put_envelope(session);
}

void load_transaction_on_data(struct load_session *session, int class,
                              const char *line)
{
    (void)line;
    if (class != CLASS_GO_ON) {
        give_up_transaction(session);
        return;
    }
    session->state = STATE_BODY;
    /* RFC 2920 3.1: a DATA that was taken though no recipient was. */
    if (session->taken == 0 || !session->is_mail_taken)
        octets_add_text(&session->out, ".\r\n");
    else
        load_commands_put_message(session);
    chain(session);
}

static void count_done(struct load_session *session, const char *line)
{
    struct load *load = session->load;
    load->last_ns = load_now_ns();
    samples_add(&load->latencies_ms,
                (double)(load->last_ns - session->mail_ns) / 1e6);
    load->done++;
    load->done_octets += load->maker.message_size;
    load->sink_texts += strstr(line, "SINK") != NULL;
}

void load_transaction_on_body(struct load_session *session, int class,
                              const char *line)
{
    if (class == CLASS_DONE) {
        count_done(session, line);
    } else if (session->load->options->uses_bdat) {
        give_up_transaction(session); /* RFC 3030 2: it is still open */
        return;
    } else {
        session->load->refused++;
    }
    if (!session->is_next_sent) {
        load_transaction_next(session);
        return;
    }
    session->is_next_sent = false;
    begin_transaction(session, session->next_mail_ns);
}

void load_transaction_on_rset(struct load_session *session, int class,
                              const char *line)
{
    if (class != CLASS_DONE)
        load_session_fail(session, "RSET", line);
    else
        load_transaction_next(session);
}
