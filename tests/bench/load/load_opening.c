#include "tests/bench/load/load_opening.h"

#include "tests/bench/load/load_login.h"
#include "tests/bench/load/load_transaction.h"

static void say_ehlo(struct load_session *session)
{
    octets_print(&session->out, "EHLO %s\r\n", session->load->options->ehlo);
    session->state = STATE_EHLO;
    session->offers_pipelining = session->offers_chunking = false;
}

void load_opening_secured(struct load_session *session)
{
    if (session->load->options->mode == MODE_STARTTLS)
        say_ehlo(session);
    else
        session->state = STATE_GREETING;
}

/* It may send mail from here on. */
static void be_ready(struct load_session *session)
{
    struct load *load = session->load;
    samples_add(&load->set_ups_ms,
                (double)(load_now_ns() - session->opened_ns) / 1e6);
    load->set_up++;
    if (!load->options->has_barrier || load->has_begun) {
        load_transaction_next(session);
        return;
    }
    session->state = STATE_READY;
    load->ready++;
}

void load_opening_on_greeting(struct load_session *session, int class,
                              const char *line)
{
    if (class != CLASS_DONE)
        load_session_fail(session, "greeting", line);
    else
        say_ehlo(session);
}

/* What is wanted and is not there would be measured as something else. */
static bool is_offered(struct load_session *session)
{
    const struct load_options *options = session->load->options;
    if (options->pipelines && !session->offers_pipelining)
        complaints_add(&session->load->complaints, "EHLO",
                       "PIPELINING is not offered: done without");
    if (!options->uses_bdat || session->offers_chunking)
        return true;
    load_session_fail(session, "EHLO", "CHUNKING is not offered");
    return false;
}

void load_opening_on_ehlo(struct load_session *session, int class,
                          const char *line)
{
    const struct load_options *options = session->load->options;
    if (class != CLASS_DONE) {
        load_session_fail(session, "EHLO", line);
    } else if (options->mode == MODE_STARTTLS && session->wire.tls == NULL) {
        session->state = STATE_STARTTLS;
        octets_add_text(&session->out, "STARTTLS\r\n");
    } else if (options->auth != AUTH_NONE) {
        session->state =
            options->auth == AUTH_LOGIN ? STATE_AUTH_NAME : STATE_AUTH;
        load_login_put_auth(session);
    } else if (is_offered(session)) {
        be_ready(session);
    }
}

void load_opening_on_starttls(struct load_session *session, int class,
                              const char *line)
{
    if (class != CLASS_DONE)
        load_session_fail(session, "STARTTLS", line);
    else
        session->state = STATE_SECURING;
}

void load_opening_on_auth_name(struct load_session *session, int class,
                               const char *line)
{
    if (class != CLASS_GO_ON) {
        load_session_fail(session, "AUTH", line);
        return;
    }
    session->state = STATE_AUTH_PASSWORD;
    load_login_put_name(session);
}

void load_opening_on_auth_password(struct load_session *session, int class,
                                   const char *line)
{
    if (class != CLASS_GO_ON) {
        load_session_fail(session, "AUTH", line);
        return;
    }
    session->state = STATE_AUTH;
    load_login_put_password(session);
}

void load_opening_on_auth(struct load_session *session, int class,
                          const char *line)
{
    if (class != CLASS_DONE)
        load_session_fail(session, "AUTH", line);
    else if (is_offered(session))
        be_ready(session);
}
