/* DATA: answered by Postern itself, once every recipient has its answer; the
 * upstream hears of it when the header block has been vetted. */
#include "proxy/session/body_pump.h"
#include "proxy/session/command_table.h"
#include "proxy/session/data_stage.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

/* Octets behind a DATA that is refused may be a message whose sender did not
 * wait for 354: they must not be read as commands. */
static void close_if_talking(struct session *s)
{
    if (s->stream != NULL && stream_input(s->stream).n > 0)
        session_hang_up(s, SESSION_END_PROTOCOL, "4.5.0",
                        "Nothing may follow DATA before 354");
}

/* The reply has left: the transaction is over without a message. */
static void give_up(struct session *s)
{
    close_if_talking(s);
    if (s->stream == NULL)
        return;
    transaction_end(s);
    session_enter(s, SESSION_READY);
}

static void refuse_by_verdict(struct session *s, const struct verdict *verdict)
{
    transaction_decide(s->transaction, STAGE_DATA, verdict);
    session_reply_verdict(s, verdict);
    if (verdict->kind == VERDICT_CLOSE)
        session_close(s, SESSION_END_POLICY);
    give_up(s);
}

static void on_vetted(struct session *s, const struct verdict *verdict)
{
    if (verdict->kind != VERDICT_PASS) {
        refuse_by_verdict(s, verdict);
        return;
    }
    if (s->transaction->has_final) { /* the upstream did not wait for it */
        transaction_reply_final(s);
        give_up(s);
        return;
    }
    session_reply(s, 354, "", "End data with <CR><LF>.<CR><LF>");
    if (s->stream != NULL)
        body_pump_start(s);
}

void cmd_data(struct session *s, const struct command *command)
{
    (void)command;
    switch (data_stage_begin(s)) {
    case DATA_STAGE_READY:
        policy_ask(s, STAGE_DATA, on_vetted);
        break;
    case DATA_STAGE_REFUSED:
        close_if_talking(s);
        break;
    case DATA_STAGE_OVER:
        give_up(s);
        break;
    }
}
