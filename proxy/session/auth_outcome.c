/* What becomes of a login: the back-ends are asked, then the rules of the auth
 * stage about their answer. */
#include "proxy/session/auth_outcome.h"

#include "proxy/session/onward_login.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_log.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

/* Whether this login succeeded from this network before, however the client
 * writes its name. */
static bool is_known(const struct session *s, struct str name)
{
    char normal[LOGIN_NAME_ROOM];
    struct str user = login_normalise_to(name, normal);
    return user.n > 0 &&
           budget_store_knows(&s->host->budgets, user,
                              facts_text(&s->facts, FACT_CLIENT_NET),
                              loop_now_ms(s->host->loop));
}

static void know(const struct session *s, struct str name)
{
    char normal[LOGIN_NAME_ROOM];
    struct str user = login_normalise_to(name, normal);
    if (user.n > 0)
        budget_store_know(&s->host->budgets, user,
                          facts_text(&s->facts, FACT_CLIENT_NET),
                          loop_now_ms(s->host->loop));
}

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

void auth_challenge(struct session *s, const char *challenge)
{
    const struct reply reply = {334, STR(""), str_from(challenge)};
    session_enter(s, SESSION_RESPONSE);
    session_reply_upstream(s, &reply);
}

static void answer_failure(struct session *s, const struct verdict *verdict)
{
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

static void on_failure_vetted(struct session *s, const struct verdict *verdict)
{
    session_log_auth(s, "failed", verdict);
    answer_failure(s, verdict);
}

/* Some mechanisms say no in a challenge first; what the client answers to
 * that brings it the reply. Not every client waits for it: the failure is
 * counted and logged already. */
static void on_claim_vetted(struct session *s, const struct verdict *verdict)
{
    const char *excuse;
    session_log_auth(s, "failed", verdict);
    if (verdict->kind == VERDICT_CLOSE || !sasl_refuse(&s->sasl, &excuse)) {
        answer_failure(s, verdict);
        return;
    }
    s->excused = *verdict;
    s->is_excused = true;
    auth_challenge(s, excuse);
}

static void fail(struct session *s, policy_then *then)
{
    struct str name = facts_text(&s->facts, FACT_AUTH_NAME);
    struct str net = facts_text(&s->facts, FACT_CLIENT_NET);
    uint64_t ms =
        login_note_failure(s->host->logins, net, name, is_known(s, name));
    s->auth_failures++;
    effects_add_delay(&s->effects, ms);
    ask_rules(s, "failed", then);
}

void auth_refuse(struct session *s)
{
    if (!s->is_excused) {
        fail(s, on_failure_vetted);
        return;
    }
    s->is_excused = false;
    answer_failure(s, &s->excused);
}

static bool copy_list(struct session *s, enum fact fact,
                      const struct str *items, size_t count)
{
    const struct str *copy = arena_strs(&s->arena, items, count);
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
    know(s, user);
    /* Who acts as another came in from there as well. */
    if (!str_equals_nocase(facts_text(&s->facts, FACT_AUTH_NAME), user))
        know(s, facts_text(&s->facts, FACT_AUTH_NAME));
    s->user = user;
    s->auth_by_ms = 0;
    s->bad_commands = 0;
    session_touch(s); /* the time until a login bounds it no more */
    session_log_auth(s, "ok", verdict);
    session_reply(s, 235, "2.7.0", "Authentication succeeded");
}

static void accept_login(struct session *s, const struct login_answer *answer)
{
    char normal[LOGIN_NAME_ROOM];
    struct str user = arena_str(&s->arena, answer->user);
    struct str known_as =
        arena_str(&s->arena, login_normalise_to(answer->user, normal));
    if (user.p == NULL || known_as.p == NULL ||
        !copy_list(s, FACT_AUTH_ADDRESSES, answer->addresses,
                   answer->address_count) ||
        !copy_list(s, FACT_AUTH_GROUPS, answer->groups, answer->group_count)) {
        session_hang_up(s, SESSION_END_FAULT, "4.3.0", "Out of memory");
        return;
    }
    facts_set_text(&s->facts, FACT_AUTH_USER, user);
    set_result(s, "ok");
    s->attempt = "ok";
    policy_ask_login(s, known_as, on_login_vetted);
}

static void on_unavailable_vetted(struct session *s,
                                  const struct verdict *verdict)
{
    session_log_auth(s, "unavailable", verdict);
    if (rules_allow(s, verdict))
        session_reply(s, 454, "4.7.0",
                      "Logins can't be checked now, try again later");
}

static void on_answer(void *owner, const struct login_answer *answer)
{
    struct session *s = owner;
    s->login = NULL;
    session_enter(s, SESSION_READY);
    if (answer->result != LOGIN_OK)
        onward_login_forget(s);
    switch (answer->result) {
    case LOGIN_OK:
        accept_login(s, answer);
        break;
    case LOGIN_FAILED:
        fail(s, on_claim_vetted);
        break;
    case LOGIN_UNAVAILABLE:
        ask_rules(s, "unavailable", on_unavailable_vetted);
        break;
    }
    session_run(s);
}

static enum claim_kind kind_of(enum sasl_mechanism mechanism)
{
    static const enum claim_kind kinds[SASL_MECHANISMS] = {
        [SASL_PLAIN] = CLAIM_PASSWORD,
        [SASL_LOGIN] = CLAIM_PASSWORD,
        [SASL_SCRAM_SHA_256] = CLAIM_PROVEN,
        [SASL_SCRAM_SHA_256_PLUS] = CLAIM_PROVEN,
        [SASL_OAUTHBEARER] = CLAIM_TOKEN,
        [SASL_XOAUTH2] = CLAIM_TOKEN,
        [SASL_EXTERNAL] = CLAIM_PROVEN,
        [SASL_CRAM_MD5] = CLAIM_PROVEN,
    };
    return kinds[mechanism];
}

static bool ask_back_ends(struct session *s)
{
    const struct sasl *sasl = &s->sasl;
    struct str name = str_span(sasl->name, sasl->name_length);
    s->login_client = client_of_session(s);
    const struct claim claim = {
        .kind = kind_of(sasl->mechanism),
        .mechanism = sasl_mechanism_name(sasl->mechanism),
        .name = name,
        .authzid = str_span(sasl->authzid, sasl->authzid_length),
        .secret = str_span(sasl->secret, sasl->secret_length),
        .client = &s->login_client,
        .session = str_from(s->id),
        .net = facts_text(&s->facts, FACT_CLIENT_NET),
        .is_known = is_known(s, name),
    };
    onward_login_forget(s);
    if (claim.kind == CLAIM_PASSWORD &&
        onward_login_keep(s, name, claim.secret) != 0)
        return false;
    s->login = login_ask(s->host->logins, &claim, on_answer, s);
    return s->login != NULL;
}

bool auth_note_name(struct session *s, struct str name)
{
    if (name.n == 0)
        return true;
    struct str claimed = arena_str(&s->arena, name);
    if (claimed.p == NULL) {
        session_note_cap(s, CAP_MEMORY);
        session_hang_up(s, SESSION_END_CAP, "4.7.0", "Too many logins");
        return false;
    }
    facts_set_text(&s->facts, FACT_AUTH_NAME, claimed);
    return true;
}

void auth_ask(struct session *s)
{
    if (!auth_note_name(s, str_span(s->sasl.name, s->sasl.name_length)))
        return;
    session_enter(s, SESSION_CHECKING);
    bool is_asked = ask_back_ends(s);
    sasl_release(&s->sasl);
    if (is_asked)
        return;
    session_enter(s, SESSION_READY);
    session_reply(s, 454, "4.7.0",
                  "Logins can't be checked now, try again later");
}

void auth_cancel(struct session *s)
{
    if (s->login != NULL)
        login_cancel(s->login);
    s->login = NULL;
}
