/* AUTH (RFC 4954): the exchange, the question to the back-ends, and the rules
 * of the auth stage about its answer. */
#include <string.h>

#include "proxy/session/command_table.h"
#include "proxy/session/onward_login.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_log.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

static void set_result(struct session *s, const char *result)
{
    facts_set_text(&s->facts, FACT_AUTH_RESULT, str_from(result));
}

/* The log tells of the attempt once the rules have said what they think of
 * it, or when the client does not wait for that. */
static void ask_rules(struct session *s, const char *result, policy_then *then)
{
    set_result(s, result);
    s->attempt = result;
    policy_ask_session(s, STAGE_AUTH, then);
}

/* After the answer, or after an exchange that came to none. */
static void end_exchange(struct session *s)
{
    sasl_release(&s->sasl);
    session_enter(s, SESSION_READY);
}

/* The rules' verdict about this login; true if they leave the answer to us.
 */
static bool rules_allow(struct session *s, const struct verdict *verdict)
{
    if (verdict->kind == VERDICT_PASS)
        return true;
    session_reply_verdict(s, verdict);
    if (verdict->kind == VERDICT_CLOSE)
        session_close(s, SESSION_END_POLICY);
    return false;
}

static void on_failure_vetted(struct session *s, const struct verdict *verdict)
{
    session_log_auth(s, "failed", verdict);
    /* The same words, whatever was wrong (attack A11). */
    if (rules_allow(s, verdict))
        session_reply(s, 535, "5.7.8", "Authentication credentials invalid");
    /* Whoever was answered by a rule has guessed as well. */
    if (s->auth_failures < session_settings(s)->auth.attempts)
        return;
    session_note_cap(s, CAP_ATTEMPTS);
    session_hang_up(s, SESSION_END_CAP, "4.7.0",
                    "Too many failed logins, try again later");
}

static void refuse_login(struct session *s)
{
    s->auth_failures++;
    ask_rules(s, "failed", on_failure_vetted);
}

static bool copy_list(struct session *s, enum fact fact,
                      const struct str *items, size_t count)
{
    struct str *copy =
        arena_array(&s->arena, count == 0 ? 1 : count, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = arena_str(&s->arena, items[i]);
        if (copy[i].p == NULL)
            return false;
    }
    if (copy != NULL)
        facts_set_list(&s->facts, fact, copy, count);
    return copy != NULL;
}

static void forget_login(struct session *s)
{
    facts_forget(&s->facts, FACT_AUTH_USER);
    facts_forget(&s->facts, FACT_AUTH_ADDRESSES);
    facts_forget(&s->facts, FACT_AUTH_GROUPS);
    facts_forget(&s->facts, FACT_AUTH_RESULT);
    facts_forget(&s->facts, FACT_CLIENT_KNOWN);
}

static void learn_known(struct session *s, struct str user)
{
    struct str net = facts_text(&s->facts, FACT_CLIENT_NET);
    bool is_known = shared_ledger_knows(s->host->ledger, user, net,
                                        loop_now_ms(s->host->loop));
    facts_set_text(&s->facts, FACT_CLIENT_KNOWN,
                   is_known ? STR("true") : STR("false"));
}

static void on_login_vetted(struct session *s, const struct verdict *verdict)
{
    struct str user = facts_text(&s->facts, FACT_AUTH_USER);
    if (verdict->kind != VERDICT_PASS)
        session_log_auth(s, "refused", verdict);
    if (!rules_allow(s, verdict)) {
        forget_login(s);
        onward_login_forget(s);
        return;
    }
    shared_ledger_know(s->host->ledger, user,
                       facts_text(&s->facts, FACT_CLIENT_NET),
                       loop_now_ms(s->host->loop));
    s->user = user;
    s->auth_by_ms = 0;
    s->bad_commands = 0;
    session_touch(s); /* the time until a login bounds it no more */
    session_log_auth(s, "ok", verdict);
    session_reply(s, 235, "2.7.0", "Authentication succeeded");
}

static void accept_login(struct session *s, const struct login_answer *answer)
{
    struct str user = arena_str(&s->arena, answer->user);
    if (user.p == NULL ||
        !copy_list(s, FACT_AUTH_ADDRESSES, answer->addresses,
                   answer->address_count) ||
        !copy_list(s, FACT_AUTH_GROUPS, answer->groups, answer->group_count)) {
        session_hang_up(s, SESSION_END_FAULT, "4.3.0", "Out of memory");
        return;
    }
    facts_set_text(&s->facts, FACT_AUTH_USER, user);
    learn_known(s, user);
    ask_rules(s, "ok", on_login_vetted);
}

static void on_unavailable_vetted(struct session *s,
                                  const struct verdict *verdict)
{
    session_log_auth(s, "unavailable", verdict);
    if (rules_allow(s, verdict))
        session_reply(s, 454, "4.7.0",
                      "Logins can't be checked now, try again later");
}

static void on_answer(struct session *s, const struct login_answer *answer)
{
    end_exchange(s);
    if (answer->result != LOGIN_OK)
        onward_login_forget(s);
    switch (answer->result) {
    case LOGIN_OK:
        accept_login(s, answer);
        break;
    case LOGIN_FAILED:
        refuse_login(s);
        break;
    case LOGIN_UNAVAILABLE:
        ask_rules(s, "unavailable", on_unavailable_vetted);
        break;
    }
    session_run(s);
}

static void ask_back_ends(struct session *s)
{
    struct str name = str_span(s->sasl.name, s->sasl.name_length);
    struct str claimed = arena_str(&s->arena, name);
    if (claimed.p == NULL) {
        session_note_cap(s, CAP_MEMORY);
        session_hang_up(s, SESSION_END_CAP, "4.7.0", "Too many logins");
        return;
    }
    facts_set_text(&s->facts, FACT_AUTH_NAME, claimed);
    session_enter(s, SESSION_CHECKING);
    bool is_asked = back_ends_ask(s, on_answer);
    sasl_release(&s->sasl);
    if (!is_asked) {
        end_exchange(s);
        session_reply(s, 454, "4.7.0",
                      "Logins can't be checked now, try again later");
    }
}

static void continue_exchange(struct session *s, enum sasl_next next,
                              const char *challenge)
{
    switch (next) {
    case SASL_CHALLENGE: {
        struct reply reply = {334, STR(""), str_from(challenge)};
        session_enter(s, SESSION_RESPONSE);
        session_reply_upstream(s, &reply);
        break;
    }
    case SASL_CREDENTIALS:
        ask_back_ends(s);
        break;
    case SASL_CANCELLED:
        end_exchange(s);
        session_reply(s, 501, "5.7.0", "Authentication cancelled");
        break;
    case SASL_MALFORMED:
        end_exchange(s);
        session_bad_command(s, 501, "5.5.2", "The response is malformed");
        break;
    case SASL_MISMATCH:
        end_exchange(s);
        refuse_login(s);
        break;
    case SASL_MEMORY:
        end_exchange(s);
        session_reply(s, 454, "4.3.0", "Out of memory, try again later");
        break;
    }
}

/* RFC 4954 4: a response that can't be read ends the exchange, or the next
 * command would be taken for a response. */
void auth_refuse_line(struct session *s, bool is_too_long)
{
    end_exchange(s);
    if (is_too_long)
        session_bad_command(s, 500, "5.5.6", "The response is too long");
    else
        session_bad_command(s, 501, "5.5.2", "The response is malformed");
}

void auth_respond(struct session *s, struct str line)
{
    const char *challenge = "";
    enum sasl_next next = sasl_respond(&s->sasl, line, &challenge);
    continue_exchange(s, next, challenge);
}

static bool mechanism_is_offered(const struct session *s,
                                 enum sasl_mechanism mechanism)
{
    const struct auth_settings *auth = &session_settings(s)->auth;
    return mechanism == SASL_PLAIN ? auth->plain : auth->login;
}

void cmd_auth(struct session *s, const struct command *command)
{
    struct str name, initial;
    enum sasl_mechanism mechanism;
    const char *challenge = "";
    if (s->listener->auth == AUTH_NONE) {
        session_bad_command(s, 502, "5.5.1", "AUTH is not offered here");
        return;
    }
    if (!stream_is_secure(s->stream)) {
        session_bad_command(s, 538, "5.7.11", "AUTH needs TLS: STARTTLS first");
        return;
    }
    if (s->user.n > 0) {
        session_bad_command(s, 503, "5.5.1", "Already logged in");
        return;
    }
    bool has_initial = str_cut(command->argument, ' ', &name, &initial);
    if (sasl_mechanism_parse(name, &mechanism) != 0 ||
        !mechanism_is_offered(s, mechanism)) {
        session_bad_command(s, 504, "5.5.4", "Mechanism not offered");
        return;
    }
    sasl_release(&s->sasl);
    sasl_init(&s->sasl, mechanism);
    /* Not every exchange comes to a name: the last one's must not stay. */
    facts_forget(&s->facts, FACT_AUTH_NAME);
    facts_set_text(&s->facts, FACT_AUTH_MECHANISM,
                   str_from(sasl_mechanism_name(mechanism)));
    enum sasl_next next =
        sasl_begin(&s->sasl, has_initial, initial, &challenge);
    continue_exchange(s, next, challenge);
}
