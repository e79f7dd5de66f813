/* MAIL: the login asked again, the reverse path vetted. Nothing is sent to
 * the upstream yet. */
#include "proxy/session/command_table.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"
#include "proxy/smtp/path.h"

static void refuse_path(struct session *s, enum path_error error)
{
    switch (error) {
    case PATH_UNQUALIFIED:
        session_bad_command(s, 553, "5.5.4",
                            "The address needs a domain: user@example.com");
        break;
    case PATH_UTF8:
        session_bad_command(s, 553, "5.6.7",
                            "Addresses outside ASCII are not supported here");
        break;
    case PATH_TOO_LONG:
        session_bad_command(s, 501, "5.1.7", "The address is too long");
        break;
    default:
        session_bad_command(s, 501, "5.1.7",
                            "Not an address: MAIL FROM:<user@example.com>");
    }
}

static bool params_are_fine(struct session *s, struct str text,
                            struct mail_params *params)
{
    struct str what;
    switch (mail_params_parse(text, params, &what)) {
    case PARAMS_OK:
        break;
    case PARAMS_SYNTAX:
        session_bad_command(s, 501, "5.5.4", "Bad parameter of MAIL");
        return false;
    case PARAMS_UNKNOWN:
        session_bad_command(s, 555, "5.5.4", "Unknown parameter of MAIL");
        return false;
    }
    if (params->body == BODY_8BITMIME && !s->offered.has_8bitmime) {
        session_reply(s, 555, "5.5.4", "8BITMIME is not offered here");
        return false;
    }
    if (params->has_size && params->size > s->offered.size) {
        session_replyf(s, 552, "5.3.4", "The limit is %llu octets",
                       (unsigned long long)s->offered.size);
        return false;
    }
    return true;
}

static void learn_facts(struct session *s, struct str mailbox,
                        const struct mail_params *params)
{
    struct facts *facts = &s->facts;
    facts_set_text(facts, FACT_MAIL_FROM, mailbox);
    facts_set_text(facts, FACT_MAIL_ORIGINAL, mailbox);
    if (params->has_size)
        facts_set_number(facts, FACT_MAIL_SIZE, params->size);
    if (params->body != BODY_ABSENT)
        facts_set_text(facts, FACT_MAIL_BODY,
                       params->body == BODY_8BITMIME ? STR("8BITMIME")
                                                     : STR("7BIT"));
    /* Neither is offered, and so neither can have been asked for. */
    facts_set_text(facts, FACT_MAIL_SMTPUTF8, STR("false"));
    facts_set_text(facts, FACT_MAIL_REQUIRETLS, STR("false"));
}

/* The rules may withdraw a login at any time (design 3.1). */
static void withdraw_login(struct session *s, const struct verdict *verdict)
{
    struct reply reply = reply_of_verdict(verdict);
    s->transaction->verdict = TRANSACTION_REJECT;
    s->transaction->stage = STAGE_AUTH;
    s->transaction->final = (struct reply){
        421, STR("4.7.0"), transaction_keep_reply(s->transaction, &reply).text};
    s->transaction->has_final = s->transaction->is_final_ours = true;
    s->transaction->rule =
        verdict->kind == VERDICT_FAULT ? NULL : verdict->rule;
    session_replyf(s, 421, "4.7.0", "%.*s", (int)reply.text.n, reply.text.p);
    session_close(s, SESSION_END_POLICY);
}

static void refuse_mail(struct session *s, const struct verdict *verdict)
{
    struct transaction *t = s->transaction;
    transaction_decide(t, STAGE_MAIL, verdict);
    session_reply_verdict(s, verdict);
    if (verdict->kind == VERDICT_CLOSE)
        session_close(s, SESSION_END_POLICY);
    else if (s->transaction != NULL)
        transaction_end(s);
}

static void on_mail_vetted(struct session *s, const struct verdict *verdict)
{
    struct transaction *t = s->transaction;
    t->envelope.reverse_path = facts_text(&s->facts, FACT_MAIL_FROM);
    t->route = t->effects.route;
    if (verdict->kind != VERDICT_PASS) {
        refuse_mail(s, verdict);
        return;
    }
    session_enter(s, SESSION_ENVELOPE);
    session_reply(s, 250, "2.1.0", "Ok");
}

static void on_login_vetted(struct session *s, const struct verdict *verdict)
{
    if (verdict->kind == VERDICT_PASS)
        policy_ask(s, STAGE_MAIL, on_mail_vetted);
    else
        withdraw_login(s, verdict);
}

static bool begin_transaction(struct session *s, struct str mailbox,
                              const struct mail_params *params)
{
    session_renew_settings(s);
    struct transaction *t = transaction_new(s);
    if (t != NULL)
        mailbox = arena_str(&t->arena, mailbox);
    if (t == NULL || mailbox.p == NULL) { /* it would be taken for <> */
        session_hang_up(s, SESSION_END_FAULT, "4.3.0", "Out of memory");
        return false;
    }
    learn_facts(s, mailbox, params);
    t->reverse_path_original = mailbox;
    t->envelope.params = *params;
    return true;
}

void cmd_mail(struct session *s, const struct command *command)
{
    struct str rest = command->argument, mailbox;
    struct mail_params params;
    enum path_error error = path_reverse(&rest, &mailbox);
    if (error != PATH_OK) {
        refuse_path(s, error);
        return;
    }
    if (!params_are_fine(s, rest, &params))
        return;
    if (s->host->is_stopping) {
        session_hang_up(s, SESSION_END_STOP, "4.3.2",
                        "The server is stopping, try again later");
        return;
    }
    s->commands_without_mail = 0;
    if (!begin_transaction(s, mailbox, &params))
        return;
    if (s->user.n > 0)
        policy_ask_auth_again(s, on_login_vetted);
    else
        policy_ask(s, STAGE_MAIL, on_mail_vetted);
}
