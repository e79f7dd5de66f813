/* RCPT: vetted, then sent to the upstream at once; its own answer comes back
 * to the client, in the order of the commands. */
#include "proxy/session/command_table.h"
#include "proxy/session/envelope_reply.h"
#include "proxy/session/onward_login.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"
#include "proxy/session/upstream_answers.h"
#include "proxy/smtp/unitext.h"
#include "proxy/smtp/xtext.h"

/* Answers a recipient ourselves; the reply leaves in its turn. */
static void refuse(struct recipient *r, int code, const char *enhanced,
                   const char *text)
{
    r->state = RECIPIENT_REFUSED;
    r->is_ours = true;
    r->reply = (struct reply){code, str_from(enhanced), str_from(text)};
}

static void refuse_with(struct recipient *r, struct reply reply)
{
    r->state = RECIPIENT_REFUSED;
    r->is_ours = true;
    r->reply = reply;
}

static struct recipient *add_recipient(struct transaction *t)
{
    struct recipient *grown =
        arena_grow(&t->arena, t->recipients, t->recipient_count,
                   &t->recipient_capacity, sizeof *grown);
    if (grown == NULL)
        return NULL;
    t->recipients = grown;
    return &t->recipients[t->recipient_count++];
}

/* One transaction goes to one upstream: that of its first recipient. Another
 * waits, or goes along. */
static bool route_is_fine(struct session *s, struct recipient *r)
{
    struct transaction *t = s->transaction;
    struct str route = t->effects.route.n > 0 ? t->effects.route : t->route;
    const struct upstream_settings *upstream =
        transaction_find_upstream(s, route);
    if (t->upstream == NULL)
        t->upstream = upstream;
    if (t->upstream == upstream)
        return true;
    if (t->settings->split == SPLIT_FIRST) {
        r->route = upstream->name;
        return true;
    }
    refuse(r, 452, "4.5.3",
           "This recipient takes another route, send it separately");
    return false;
}

/* RFC 3461 5.2.1: a mailbox that was rewritten remembers what it was. */
static struct rcpt_params params_to_send(struct transaction *t,
                                         const struct recipient *r)
{
    struct rcpt_params params = r->params;
    if (params.orcpt.n > 0 || str_equals(r->mailbox, r->original))
        return params;
    bool is_utf8 = str_has_8bit(r->original); /* RFC 6533 3 */
    struct str address = is_utf8 ? unitext_encode(&t->arena, r->original)
                                 : xtext_encode(&t->arena, r->original);
    if (address.p != NULL)
        params.orcpt =
            arena_printf(&t->arena, "%s;%.*s", is_utf8 ? "utf-8" : "rfc822",
                         (int)address.n, address.p);
    return params;
}

static void send_on(struct session *s, struct recipient *r)
{
    struct transaction *t = s->transaction;
    if (t->has_final) { /* the upstream went away meanwhile */
        r->state = RECIPIENT_REFUSED;
        r->is_ours = t->is_final_ours;
        r->reply = t->final;
        return;
    }
    if (t->delivery == NULL && t->asked_count == 0) {
        struct reply reply;
        if (!onward_login_choose(s, &reply)) {
            refuse_with(r, reply);
            return;
        }
        t->upstream_since_us = loop_clock_us(s->host->loop);
        t->delivery = delivery_new(s->host->upstreams, t->upstream,
                                   &t->envelope, &upstream_answers, s);
    }
    struct rcpt_params params = params_to_send(t, r);
    int taken = t->delivery == NULL
                    ? -1
                    : delivery_rcpt(t->delivery, r->mailbox, &params);
    if (taken == DELIVERY_LACKS_DSN)
        refuse(r, 555, "5.5.4",
               "The next mail server does not take the parameters of DSN");
    else if (taken != 0)
        refuse(r, 451, "4.3.0", "Out of memory, try again later");
    if (taken != 0)
        return;
    r->state = RECIPIENT_ASKED;
    r->index = t->asked_count++;
}

/* Everything is known of the recipient but the upstream's answer. */
static void settle(struct session *s, const struct recipient *r)
{
    struct transaction *t = s->transaction;
    if (r->state == RECIPIENT_REFUSED)
        transaction_settle_recipient(t, (size_t)(r - t->recipients));
    transaction_flush_replies(s);
}

static void on_vetted(struct session *s, const struct verdict *verdict)
{
    struct transaction *t = s->transaction;
    struct recipient *r = &t->recipients[t->recipient_count - 1];
    r->mailbox = facts_text(&s->facts, FACT_RCPT_TO);
    r->asked_us = t->stage_us[STAGE_RCPT];
    if (verdict->kind != VERDICT_PASS) {
        struct reply reply = reply_of_verdict(verdict);
        r->rule = verdict->kind == VERDICT_FAULT ? NULL : verdict->rule;
        r->state = RECIPIENT_REFUSED;
        r->is_ours = true;
        r->is_closing = verdict->kind == VERDICT_CLOSE;
        r->reply = transaction_keep_reply(t, &reply);
    } else if (route_is_fine(s, r)) {
        send_on(s, r);
    }
    settle(s, r);
}

/* Reads the command; false: it is refused. */
static bool parse(struct session *s, struct recipient *r, struct str argument,
                  struct str *mailbox)
{
    const struct mail_params *mail = &s->transaction->envelope.params;
    struct str rest = argument, what;
    enum path_error path = path_forward(&rest, mailbox);
    if (path == PATH_OK && str_has_8bit(*mailbox) && !mail->is_smtputf8)
        path = PATH_UTF8;
    if (path != PATH_OK) {
        refuse_with(r, reply_of_path_error(VERB_RCPT, path));
        return false;
    }
    enum params_error params = rcpt_params_parse(rest, &r->params, &what);
    if (params == PARAMS_OK && str_has_8bit(r->params.orcpt) &&
        !mail->is_smtputf8)
        params = PARAMS_SYNTAX;
    if (params != PARAMS_OK) {
        refuse_with(r, reply_of_params_error(VERB_RCPT, params));
        return false;
    }
    if (r->params.needs_dsn && !s->offered.has_dsn)
        refuse_with(r, reply_of_not_offered(EXTENSION_DSN));
    return r->state != RECIPIENT_REFUSED;
}

/* Checks it and learns its facts; false: it is refused. */
static bool check(struct session *s, struct recipient *r, struct str argument)
{
    struct transaction *t = s->transaction;
    struct str mailbox;
    if (!parse(s, r, argument, &mailbox))
        return false;
    mailbox = arena_str(&t->arena, mailbox);
    r->original = r->mailbox = mailbox;
    if (mailbox.p == NULL || rcpt_params_keep(&r->params, &t->arena) != 0 ||
        domain_set_add(&t->domains, &t->arena, mailbox) != 0) {
        refuse(r, 452, "4.5.3", "Too many recipients");
        return false;
    }
    facts_set_text(&s->facts, FACT_RCPT_TO, mailbox);
    facts_set_text(&s->facts, FACT_RCPT_ORIGINAL, mailbox);
    facts_set_number(&s->facts, FACT_RCPT_COUNT, t->recipient_count);
    facts_set_number(&s->facts, FACT_RCPT_DOMAINS, t->domains.count);
    return true;
}

void cmd_rcpt(struct session *s, const struct command *command)
{
    struct transaction *t = s->transaction;
    const struct caps_settings *caps = &session_settings(s)->caps;
    uint64_t most = caps->recipients;
    struct recipient *r = NULL;
    if (s->has_offered && s->offered.rcpt_max < most)
        most = s->offered.rcpt_max; /* that of an upstream: RFC 9422 */
    if (t->recipient_count < most)
        r = add_recipient(t);
    if (r == NULL) {
        /* Not kept: memory stays bounded. In order all the same, since
         * nothing may wait before it. */
        t->refused_over_cap++;
        if (t->recipient_count >= caps->recipients)
            session_note_cap(s, CAP_RECIPIENTS);
        transaction_flush_replies(s);
        if (s->stream != NULL)
            (void)command_is_one_too_many(s);
        return;
    }
    r->state = RECIPIENT_VETTED;
    if (!check(s, r, command->argument)) {
        settle(s, r);
        return;
    }
    t->effects.route = t->route;
    policy_ask(s, STAGE_RCPT, on_vetted);
}
