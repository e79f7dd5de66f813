/* MAIL: the login asked again, the reverse path vetted. Nothing is sent to
 * the upstream yet. */
#include "proxy/session/command_table.h"
#include "proxy/session/envelope_reply.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_log.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

static void refuse(struct session *s, struct reply reply)
{
    session_bad_command(s, reply.code, reply.enhanced.p, reply.text.p);
}

static bool params_are_offered(struct session *s,
                               const struct mail_params *params)
{
    for (enum extension i = 0; i < EXTENSION_COUNT; i++) {
        if ((params->extensions & (1U << i)) == 0 ||
            capabilities_have(&s->offered, i))
            continue;
        struct reply reply = reply_of_not_offered(i);
        session_reply_ours(s, &reply);
        return false;
    }
    const char *over = mail_params_over_offer(params, &s->offered);
    if (over != NULL)
        session_replyf(s, 501, "5.5.4", "%s asks for more than is offered",
                       over);
    return over == NULL;
}

static bool params_are_fine(struct session *s, struct str text,
                            struct mail_params *params)
{
    struct str what;
    enum params_error error = mail_params_parse(text, params, &what);
    if (error != PARAMS_OK) {
        refuse(s, reply_of_params_error(VERB_MAIL, error));
        return false;
    }
    if (!params_are_offered(s, params))
        return false;
    if (params->has_size && params->size > s->offered.size) {
        if (params->size > session_settings(s)->caps.message)
            session_note_cap(s, CAP_MESSAGE);
        session_replyf(s, 552, "5.3.4", "The limit is %llu octets",
                       (unsigned long long)s->offered.size);
        return false;
    }
    return true;
}

static struct str yes_or_no(bool is_so)
{
    return is_so ? STR("true") : STR("false");
}

static void learn_facts(struct session *s, struct str mailbox,
                        const struct mail_params *params)
{
    struct facts *facts = &s->facts;
    facts_set_text(facts, FACT_MAIL_ID, str_from(s->transaction->id));
    facts_set_text(facts, FACT_MAIL_FROM, mailbox);
    facts_set_text(facts, FACT_MAIL_ORIGINAL, mailbox);
    if (params->has_size)
        facts_set_number(facts, FACT_MAIL_SIZE, params->size);
    if (params->body != BODY_ABSENT)
        facts_set_text(facts, FACT_MAIL_BODY,
                       params->body == BODY_8BITMIME ? STR("8BITMIME")
                                                     : STR("7BIT"));
    facts_set_text(facts, FACT_MAIL_SMTPUTF8, yes_or_no(params->is_smtputf8));
    facts_set_text(facts, FACT_MAIL_REQUIRETLS,
                   yes_or_no(params->requires_tls));
    if (params->envid.n > 0)
        facts_set_text(facts, FACT_MAIL_ENVID, params->envid);
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
                              const struct mail_params *given)
{
    struct mail_params params = *given;
    session_renew_settings(s);
    struct transaction *t = transaction_new(s);
    if (t != NULL)
        mailbox = arena_str(&t->arena, mailbox);
    if (t == NULL || mailbox.p == NULL ||
        mail_params_keep(&params, &t->arena) !=
            0) { /* it would be taken for <> */
        session_hang_up(s, SESSION_END_FAULT, "4.3.0", "Out of memory");
        return false;
    }
    learn_facts(s, mailbox, &params);
    t->reverse_path_original = mailbox;
    t->envelope.params = params;
    return true;
}

void cmd_mail(struct session *s, const struct command *command)
{
    struct str rest = command->argument, mailbox;
    struct mail_params params;
    enum path_error error = path_reverse(&rest, &mailbox);
    if (error != PATH_OK) {
        refuse(s, reply_of_path_error(VERB_MAIL, error));
        return;
    }
    if (!params_are_fine(s, rest, &params))
        return;
    if (str_has_8bit(mailbox) && !params.is_smtputf8) {
        refuse(s, reply_of_path_error(VERB_MAIL, PATH_UTF8));
        return;
    }
    if (s->host->is_stopping) {
        session_hang_up(s, SESSION_END_STOP, "4.3.2",
                        "The server is stopping, try again later");
        return;
    }
    if (!session_log_takes_mail(s)) {
        session_reply(s, 451, "4.3.0", NOT_LOGGED_NOW);
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
